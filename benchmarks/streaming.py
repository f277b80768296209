"""How soon a word is shown, steady and final while it is spoken, as tables in benchmarks/README.md.

    python benchmarks/streaming.py BUNDLE MANIFEST.jsonl [--seconds 60] [--packet_ms 100]

Utterances of the manifest are strung into one recording and fed to `StreamingTranscriber` in packets. The time is
simulated: a packet comes when its last sample was spoken. Latency is from the end of a word, as the final transcript
has it, to the packet whose update first has it there; once by the samples alone, and once with the computing, where a
packet waits for those before it. A word of a partial is one of the final words by a least-cost alignment of the two.

Nothing is final by force; benchmarks/live_latency.py has how soon it is otherwise. It ends with an error where the
segments are not those of `Transcriber.transcribe` of the whole.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from stitching import stitch
from tables import write_table

from asr import load_model
from asr.audio import load_audio
from asr.data import read_manifest
from asr.evaluation import align
from asr.inference import StreamingTranscriber, Transcriber, Update, Word
from asr.provenance import provenance

STAGES = ("in a partial", "stable", "final")


@dataclass(frozen=True)
class Heard:
    """An update, the seconds of samples heard until then, when it was ready, and what it took to compute."""

    update: Update
    heard_s: float
    ready_s: float
    compute_s: float


def main() -> None:
    """Stitch, stream, compare, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--packet_ms", type=float, default=100.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    model = load_model(arguments.bundle, threads=2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stitched.wav"
        stitch(read_manifest(arguments.manifest), arguments.seconds, path, model.sample_rate, arguments.seed)
        samples = load_audio(path, model.sample_rate)
    heard = list(streamed(model, samples, round(arguments.packet_ms * model.sample_rate / 1000)))
    segments = [segment for one in heard for segment in one.update.final]
    if segments != list(model.transcribe(samples).segments):
        raise SystemExit("the streamed segments are not those of the whole")
    words = [word for segment in segments for word in segment.words]
    made = provenance(arguments.seed)
    write_table(
        "streaming.py",
        f"`python benchmarks/streaming.py`: {len(samples) / model.sample_rate:.0f} s of "
        f"{arguments.manifest.parent.name}/{arguments.manifest.stem}, packets of {arguments.packet_ms:.0f} ms, bundle "
        f"{model.bundle.card.name}, {model.bundle.precisions[0]}, two threads. The {len(segments)} segments, "
        f"{len(words)} words, are those of the whole.\n\n"
        "| seconds from a word's end until it is | median | 90 % | most | with computing: median | 90 % | most |\n"
        "|---|---|---|---|---|---|---|\n" + "\n".join(latencies(heard, words)) + f"\n\n{computing(heard)} "
        f"{steadiness(heard, words)}\n\n"
        f"{made['hardware']}, Python {made['python']}, commit {made['commit']}, {made['date']}.",
    )


def streamed(model: Transcriber, samples: np.ndarray, packet: int) -> Iterator[Heard]:
    """Yield what each packet brings, the end last."""
    streaming = StreamingTranscriber(model, endpoint_silence_s=None, max_wait_s=None)
    ready_s = 0.0
    for at in range(0, len(samples) + 1, packet):
        part = samples[at : at + packet]
        is_last = at + packet > len(samples)
        start = time.perf_counter()
        update = streaming.accept(part)
        if is_last:
            update = Update(update.final + streaming.finish().final)
        compute_s = time.perf_counter() - start
        heard_s = (at + len(part)) / model.sample_rate
        ready_s = max(ready_s, heard_s) + compute_s
        yield Heard(update, heard_s, ready_s, compute_s)


# Latency


def latencies(heard: Sequence[Heard], words: Sequence[Word]) -> Iterator[str]:
    """Rows of how long after its end a word is there."""
    first = first_seen(heard, words)
    for stage in STAGES:
        columns = []
        for clock in ("heard_s", "ready_s"):
            late = [getattr(heard[i], clock) - word.end for i, word in zip(first[stage], words, strict=True)]
            columns += [f"{value:.2f}" for value in np.percentile(late, [50, 90, 100])]
        yield f"| {stage} | {' | '.join(columns)} |"


def first_seen(heard: Sequence[Heard], words: Sequence[Word]) -> dict[str, list[int]]:
    """By stage, the first update that has each word there; what is final is also the rest."""
    first: dict[str, list[int | None]] = {stage: [None] * len(words) for stage in STAGES}
    decided = 0
    for i, one in enumerate(heard):
        until = decided + sum(len(segment.words) for segment in one.update.final)
        seen = {"in a partial": range(decided, until), "stable": range(decided, until), "final": range(decided, until)}
        decided = until
        shown, steady = matched(one, words, decided)
        for stage, found in [*seen.items(), ("in a partial", shown), ("stable", steady)]:
            for place in found:
                first[stage][place] = i if first[stage][place] is None else first[stage][place]
    return {stage: [i for i in places if i is not None] for stage, places in first.items()}


def matched(one: Heard, words: Sequence[Word], decided: int) -> tuple[list[int], list[int]]:
    """Which of ``words`` an update's partial has, those after the ``decided`` that were begun; which its stable."""
    begun = sum(word.start < one.heard_s for word in words[decided:])
    place, at = decided, 0
    shown: list[int] = []
    steady: list[int] = []
    stable = len(one.update.stable.split())
    for column in align(" ".join(w.text for w in words[decided : decided + begun]), one.update.partial):
        if not column.mark:
            shown.append(place)
            steady += [place] if at < stable else []
        place += bool(column.reference)
        at += bool(column.hypothesis)
    return shown, steady


# Computing, and what changes


def computing(heard: Sequence[Heard]) -> str:
    """What a packet takes: most do no more than listen."""
    seconds = [one.compute_s for one in heard]
    ninety = np.percentile(seconds, 90)
    return (
        f"Computing takes {1000 * statistics.median(seconds):.1f} ms of a packet in the median, {1000 * ninety:.0f} ms "
        f"in nine of ten, {1000 * max(seconds):.0f} ms at most; {sum(seconds) / heard[-1].heard_s:.3f} s a second."
    )


def steadiness(heard: Sequence[Heard], words: Sequence[Word]) -> str:
    """How many words that were called stable are not final words."""
    decided, stable, wrong = 0, 0, 0
    for one in heard:
        decided += sum(len(segment.words) for segment in one.update.final)
        stable += (count := len(one.update.stable.split()))
        wrong += count - len(matched(one, words, decided)[1])
    return f"Of the words in the updates' stable parts, {100 * wrong / max(stable, 1):.1f} % are not final."


if __name__ == "__main__":
    main()
