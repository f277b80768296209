"""How soon a word is final while it is spoken, and what that costs, as a table in benchmarks/README.md.

    python benchmarks/live_latency.py an4=AN4/test.jsonl librispeech_13h=DEV.jsonl [--recordings 50]

Each bundle reads recordings of its manifest as they would be spoken, packet by packet. The time is simulated: a packet
comes when its last sample was spoken. Latency is from the end of a word, as its final segment has it, to the end of the
packet that made it final; computing is left out. Each recording is heard alone, with a pause after it and then nothing;
and all are strung into long ones, with a noise of 0.3 to 1.5 s after each.

The text of the finals, joined, is held against `Transcriber.transcribe` of the same samples: words that differ are the
errors of the one when the other is taken as the reference. And both are held against the corpus's reference.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from stitching import brown_noise, stitch
from tables import write_table

from asr import load_model
from asr.audio import load_audio
from asr.data import Utterance, read_manifest
from asr.evaluation import error_rate
from asr.inference import StreamingTranscriber, Transcriber
from asr.provenance import provenance
from asr.text import normalise

PAUSE_S, LONG_S, PACKET_S = 1.5, 60.0, 0.05
WAYS: dict[str, dict[str, float | None]] = {
    "after pauses of 0.5 s": {"max_wait_s": None},
    "and after 10 s without": {},
    "as the whole": {"endpoint_silence_s": None, "max_wait_s": None},
}
"""Options of `StreamingTranscriber` by the name of their row."""


@dataclass(frozen=True, eq=False)
class Recording:
    """Samples (N,) of a recording, and the words that are said in it."""

    samples: np.ndarray
    reference: str


@dataclass(frozen=True)
class Read:
    """What one recording gave.

    Attributes:
        late_s: for each word, seconds from its end until it was final.
        paused_s: the same, for the last word of each update that came before the recording's end.
        live: the finals' text.
        whole: the text of the finished recording.
        reference: what was said.
    """

    late_s: tuple[float, ...]
    paused_s: tuple[float, ...]
    live: str
    whole: str
    reference: str


def main() -> None:
    """Read, compare, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", nargs="+", metavar="BUNDLE=MANIFEST")
    parser.add_argument("--recordings", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rows = []
    for pair in arguments.pairs:
        name, manifest = pair.split("=", 1)
        model = load_model(name, threads=1)
        utterances = list(read_manifest(Path(manifest)))
        utterances = utterances[:: max(len(utterances) // arguments.recordings, 1)][: arguments.recordings]
        for kind, recordings in [
            ("alone", [alone(model, one, arguments.seed) for one in utterances]),
            ("strung", list(strung(model, utterances, arguments.seed))),
        ]:
            whole = [model.transcribe(one.samples).text for one in recordings]
            for way, options in WAYS.items():
                read = [heard(model, one, text, options) for one, text in zip(recordings, whole, strict=True)]
                rows.append(f"| {name}, {kind} | {way} | {row(read)} |")
                print(rows[-1], flush=True)
    made = provenance(arguments.seed)
    manifests = [Path(pair.split("=", 1)[1]) for pair in arguments.pairs]
    corpora = ", ".join(f"{path.parent.name}/{path.stem}" for path in manifests)
    write_table(
        "live_latency.py",
        f"`python benchmarks/live_latency.py`: {arguments.recordings} recordings of each of {corpora}, packets of "
        f"{1000 * PACKET_S:.0f} ms; alone, with {PAUSE_S} s of noise after each, or strung together to a minute each.\n"
        "\n| bundle, recordings | finals | words | last word of a final, s: median | 90 % | most "
        "| any word, s: median | 90 % | most | texts that differ from the whole's | words that differ "
        "| WER, whole | live |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n\n"
        f"{made['hardware']}, Python {made['python']}, commit {made['commit']}, {made['date']}.",
    )


def alone(model: Transcriber, utterance: Utterance, seed: int) -> Recording:
    """An utterance, and the pause after it."""
    rate = model.sample_rate
    span = {"offset_s": utterance.offset, "duration_s": utterance.duration}
    samples = load_audio(utterance.audio_filepath, rate, **span)
    pause = brown_noise(samples, round(PAUSE_S * rate), rate, np.random.default_rng(seed))
    return Recording(np.concatenate([samples, pause]), utterance.text)


def strung(model: Transcriber, utterances: Sequence[Utterance], seed: int) -> Iterator[Recording]:
    """Yield recordings of about a minute each, of all utterances."""
    left = [replace(one, speaker=f"{i:06}") for i, one in enumerate(utterances)]
    with tempfile.TemporaryDirectory() as folder:
        while left:
            path = Path(folder) / "strung.wav"
            placed = stitch(left, LONG_S, path, model.sample_rate, seed)
            yield Recording(load_audio(path, model.sample_rate), " ".join(one.utterance.text for one in placed))
            done = {each.utterance.speaker for each in placed}
            left = [one for one in left if one.speaker not in done]


def heard(model: Transcriber, recording: Recording, whole: str, options: dict[str, float | None]) -> Read:
    """Feed a recording in packets."""
    streaming = StreamingTranscriber(model, interval_s=float("inf"), **options)
    packet = round(PACKET_S * model.sample_rate)
    late: list[float] = []
    paused: list[float] = []
    said: list[str] = []
    for at in range(0, len(recording.samples) + packet, packet):
        is_last = at >= len(recording.samples)
        update = streaming.finish() if is_last else streaming.accept(recording.samples[at : at + packet])
        for segment in update.final:
            said.append(segment.text)
            late += [streaming.heard_s - word.end for word in segment.words]
        if update.final and not is_last:
            paused.append(streaming.heard_s - update.final[-1].end)
    return Read(tuple(late), tuple(paused), " ".join(said), whole, recording.reference)


def row(read: Sequence[Read]) -> str:
    """Return the columns of one way."""
    late = [value for one in read for value in one.late_s]
    paused = [value for one in read for value in one.paused_s]
    differ = [one for one in read if one.live != one.whole]
    words = sum(len(one.whole.split()) for one in read)
    errors = sum(changes(one.whole, one.live) for one in read)
    columns = [
        str(len(late)),
        *quantiles(paused),
        *quantiles(late),
        f"{len(differ)} of {len(read)}",
        f"{errors} ({100 * errors / max(words, 1):.2f} %)",
        f"{100 * wer(read, 'whole'):.2f} %",
        f"{100 * wer(read, 'live'):.2f} %",
    ]
    return " | ".join(columns)


def quantiles(values: Sequence[float]) -> list[str]:
    """Return the median, nine in ten and the most."""
    return [f"{value:.2f}" for value in np.percentile(values, [50, 90, 100])] if values else ["–"] * 3


def changes(reference: str, hypothesis: str) -> int:
    """Return how many words would have to be changed."""
    return error_rate([reference], [hypothesis]).errors


def wer(read: Sequence[Read], text: str) -> float:
    """Return the word error rate of the live or the whole text."""
    references = [normalise(one.reference, "upper_letters") for one in read]
    return error_rate(references, [getattr(one, text) for one in read]).rate


if __name__ == "__main__":
    main()
