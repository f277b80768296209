"""Seconds and word errors of each decoder on the same log-probabilities, as a table in benchmarks/README.md.

    python benchmarks/decoding.py an4 manifests/an4/test.jsonl --lm an4.lm --peers ENVIRONMENT
    python benchmarks/decoding.py BUNDLE MANIFEST --lm books.lm --most 60 --table open --peers ENVIRONMENT

The bundle reads the utterances once; then each decoder is given their log-probabilities, in turns, every process on the
same single core: ours all at once, to be searched side by side, and one by one; a peer's one by one. A decoder's time
is the median over the rounds, without the loading of its language model. Weights are those the bundle was tuned to
unless given; what they are at a peer's, and its other options, is in decoding_worker.py, which runs in the peers' own
environment. Texts are normalised and scored alike.

Where our time goes is measured apart, by runs of like frames: those in which no label is likely enough to extend a
prefix, and the others.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from tables import write_table

from asr.arrays import LabelLogProbs, LogProbs
from asr.audio import load_audio
from asr.bundle import Bundle, load_bundle
from asr.data import Utterance, read_manifest
from asr.decoding import (
    BeamDecoder,
    BeamOptions,
    Decoder,
    FusionWeights,
    GreedyDecoder,
    Hypothesis,
    PrefixBeamSearch,
    WordFusion,
)
from asr.evaluation import error_rate
from asr.inference import Transcriber
from asr.lm import NgramModel, write_arpa
from asr.provenance import provenance
from asr.text import normalise

WIDTH = 64
PYCTCDECODE_PRUNING = {"threshold": 10.0, "token_threshold": -5.0}
PEERS = {
    "pyctcdecode": f"pyctcdecode, beam {WIDTH}",
    "pyctcdecode_lm": f"pyctcdecode, beam {WIDTH}, LM by KenLM",
    "pyctcdecode_lm_our_pruning": f"pyctcdecode, beam {WIDTH}, LM by KenLM, pruned as ours",
    "flashlight": f"flashlight-text, lexicon, beam {WIDTH}",
    "flashlight_lm": f"flashlight-text, lexicon, beam {WIDTH}, LM by KenLM",
}

Round = dict
"""``wall`` and ``processor`` seconds of a decoder over all utterances, and their ``texts``."""


@dataclass
class Figures:
    """Rounds of one decoder."""

    rounds: list[Round] = field(default_factory=list)

    def median(self, clock: str) -> float:
        """Seconds by the ``wall`` or ``processor`` clock."""
        return statistics.median(one[clock] for one in self.rounds)

    def errors(self, utterances: Sequence[Utterance]) -> float:
        """WER of the last round."""
        references = [normalise(u.text, "upper_letters") for u in utterances]
        texts = [normalise(text, "upper_letters") for text in self.rounds[-1]["texts"]]
        return error_rate(references, texts).rate


class Worker(AbstractContextManager["Worker"]):
    """The peers' process, which decodes all utterances by one of them when asked."""

    def __init__(self, environment: Path, task: Path) -> None:
        self._said = task / "stderr.txt"
        self._process = subprocess.Popen(
            [environment / "bin" / "python", Path(__file__).with_name("decoding_worker.py"), task],
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said.open("w"),
            text=True,
        )

    def decode(self, peer: str) -> Round:
        """One round of ``peer``."""
        assert self._process.stdin
        assert self._process.stdout
        print(peer, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"{peer} ended without an answer:\n{self._said.read_text()[-2000:]}")
        return json.loads(answer)

    def __exit__(self, *_error: object) -> None:
        """End it."""
        self._process.communicate()


def main() -> None:
    """Measure, print, write."""
    arguments = parse_arguments()
    bundle = load_bundle(arguments.bundle)
    weights = FusionWeights(**asdict(bundle.decoder.weights) | dict(arguments.weights))
    utterances = chosen(arguments)
    log_probs = list(heard(bundle, utterances))
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    model = NgramModel.open(arguments.lm)
    fusion = WordFusion(model, bundle.vocabulary, weights)
    decoders = our_decoders(bundle, fusion)
    with tempfile.TemporaryDirectory() as folder:
        task = write_task(Path(folder), bundle, model, weights, log_probs)
        with Worker(arguments.peers, task) if arguments.peers else nullcontext() as worker:
            rounds = {name: partial(timed, decoder, log_probs) for name, decoder in decoders.items()}
            if worker:
                rounds |= {name: partial(worker.decode, peer) for peer, name in PEERS.items()}
            figures = in_turns(rounds, arguments.rounds)
    searches = {"": [], " with LM": [fusion]}
    size, options = len(bundle.vocabulary), BeamOptions()
    frames = {n: by_kind_of_frame(PrefixBeamSearch(size, s, options), log_probs) for n, s in searches.items()}
    write_table(f"decoding.py, {arguments.table}", page(arguments, utterances, weights, figures, frames))


def parse_arguments() -> argparse.Namespace:
    """From the command line; ``weights`` are those given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--lm", type=Path, required=True, help="a .lm file")
    parser.add_argument("--peers", type=Path, help="virtual environment of the peers; ours alone when missing")
    parser.add_argument("--speakers", nargs="+", help="of these alone")
    parser.add_argument("--most", type=int, help="utterances, spread over the manifest")
    parser.add_argument("--alpha", type=float)
    parser.add_argument("--beta", type=float)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--table", choices=("closed", "open"), default="closed", help="which of the README's two")
    arguments = parser.parse_args()
    given = {"alpha": arguments.alpha, "beta": arguments.beta}
    arguments.weights = {name: value for name, value in given.items() if value is not None}
    return arguments


def chosen(arguments: argparse.Namespace) -> list[Utterance]:
    """Utterances to decode, in the manifest's order."""
    wanted = [u for u in read_manifest(arguments.manifest) if u.text]
    if arguments.speakers:
        wanted = [u for u in wanted if u.speaker in arguments.speakers]
    most = min(arguments.most or len(wanted), len(wanted))
    return [wanted[i * len(wanted) // most] for i in range(most)]


def heard(bundle: Bundle, utterances: Sequence[Utterance]) -> Iterator[LabelLogProbs]:
    """Log-probabilities (T', V) float32 of each utterance's characters."""
    model = Transcriber(bundle)
    for one in utterances:
        span = {"offset_s": one.offset, "duration_s": one.duration}
        log_probs = model.log_probs(load_audio(one.audio_filepath, model.sample_rate, **span))
        yield log_probs.characters


class OneByOne:
    """A decoder that is given one recording at a time, as a stream gives them."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    def decode(self, log_probs: Sequence[LogProbs]) -> list[list[Hypothesis]]:
        """As `Decoder.decode`."""
        return [self._decoder.decode([one])[0] for one in log_probs]


def our_decoders(bundle: Bundle, fusion: WordFusion) -> dict[str, Decoder]:
    """By their names in the table."""
    decoders: dict[str, Decoder] = {"best path": GreedyDecoder(bundle.vocabulary)}
    decoders[f"ours, beam {WIDTH}"] = BeamDecoder(bundle.vocabulary, options=BeamOptions(WIDTH))
    for width in (16, WIDTH, 256):
        decoder = BeamDecoder(bundle.vocabulary, [fusion], BeamOptions(width))
        decoders |= {f"ours, beam {width}, LM": decoder, f"ours, beam {width}, LM, one by one": OneByOne(decoder)}
    closer = BeamOptions(WIDTH, **PYCTCDECODE_PRUNING)
    decoders[f"ours, beam {WIDTH}, LM, pruned as pyctcdecode"] = BeamDecoder(bundle.vocabulary, [fusion], closer)
    return decoders


def write_task(
    folder: Path, bundle: Bundle, model: NgramModel, weights: FusionWeights, log_probs: Sequence[np.ndarray]
) -> Path:
    """What decoding_worker.py reads: log-probabilities, the language model as ARPA, characters, weights, options."""
    np.savez(folder / "log_probs.npz", *log_probs)
    write_arpa(folder / "model.arpa", model)
    options = {**asdict(BeamOptions(WIDTH)), **asdict(weights), "characters": bundle.vocabulary.characters}
    (folder / "options.json").write_text(json.dumps(options), encoding="utf-8")
    return folder


def in_turns(rounds: Mapping[str, Callable[[], Round]], count: int) -> dict[str, Figures]:
    """Every decoder once, then again."""
    figures = {name: Figures() for name in rounds}
    for _ in range(count):
        for name, run in rounds.items():
            figures[name].rounds.append(run())
    return figures


def timed(decoder: Decoder, log_probs: Sequence[LabelLogProbs]) -> Round:
    """One round of a decoder of ours."""
    found = [LogProbs(one) for one in log_probs]
    wall, processor = time.perf_counter(), time.process_time()
    readings = decoder.decode(found)
    seconds = {"wall": time.perf_counter() - wall, "processor": time.process_time() - processor}
    return seconds | {"texts": [best[0].text if best else "" for best in readings]}


def by_kind_of_frame(search: PrefixBeamSearch, log_probs: Sequence[np.ndarray]) -> dict[bool, tuple[int, float]]:
    """Frames in which a label may extend prefixes (True) and those in which none may: how many, and seconds of each."""
    count, seconds = {True: 0, False: 0}, {True: 0.0, False: 0.0}
    for utterance in log_probs:
        likely = (utterance[:, 1:] >= search.options.token_threshold).any(axis=1)
        beam = search.start()
        for run in np.split(utterance, np.flatnonzero(np.diff(likely)) + 1):
            kind = bool((run[0, 1:] >= search.options.token_threshold).any())
            began = time.process_time()
            beam = search.advance(beam, run)
            seconds[kind] += time.process_time() - began
            count[kind] += len(run)
    return {kind: (count[kind], seconds[kind]) for kind in count}


def page(
    arguments: argparse.Namespace,
    utterances: Sequence[Utterance],
    weights: FusionWeights,
    figures: dict[str, Figures],
    frames: dict[str, dict[bool, tuple[int, float]]],
) -> str:
    """The text between the markers."""
    audio = sum(u.duration for u in utterances)
    made = provenance()
    total = sum(count for count, _ in frames[""].values())
    rows = [row(name, found, audio, found.errors(utterances)) for name, found in figures.items()]
    return (
        f"`python benchmarks/decoding.py`, {len(utterances)} utterances of {'/'.join(arguments.manifest.parts[-2:])}, "
        f"{audio:.0f} s, {total:,} output frames; alpha {weights.alpha:g}, beta {weights.beta:g}; one core, median of "
        f"{arguments.rounds} rounds.\n\n"
        "| decoder | seconds | of them processor | real-time factor | WER |\n"
        "|---|---|---|---|---|\n" + "\n".join(rows) + "\n\n"
        f"A frame of our search, beam {WIDTH}: {'; '.join(kind_of_frame(frames, kind) for kind in (True, False))}.\n\n"
        f"{made['hardware']}, Python {made['python']}, commit {made['commit']}, {made['date']}."
    )


def row(name: str, found: Figures, audio: float, errors: float) -> str:
    """A line of the table."""
    wall, processor = found.median("wall"), found.median("processor")
    return f"| {name} | {wall:.2f} | {processor:.2f} | {processor / audio:.5f} | {errors:.1%} |"


def kind_of_frame(frames: dict[str, dict[bool, tuple[int, float]]], kind: bool) -> str:
    """Microseconds of a frame of this kind, without a language model and with one."""
    counts = [frames[""][k][0] for k in (kind, not kind)]
    each = {name: 1e6 * found[kind][1] / max(1, found[kind][0]) for name, found in frames.items()}
    times = " and ".join(f"{microseconds:.0f} µs{name}" for name, microseconds in each.items())
    return f"{times} where {'a' if kind else 'no'} label may extend prefixes ({counts[0] / sum(counts):.0%} of frames)"


if __name__ == "__main__":
    main()
