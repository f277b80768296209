"""What length costs: memory, time and words of hours of speech beside a minute, as a table in benchmarks/README.md.

    python benchmarks/long_recordings.py BUNDLE MANIFEST.jsonl [--hours 2]

Utterances of the manifest are strung into one recording, gaps of each one's own noise between them. Fresh processes
transcribe its first minute and all of it. The transcript is scored against all the references in a row, and beside
that of the same utterances read one by one. Times are held against forced alignment, by the same acoustic model, of
each reference over its utterance alone, moved to where the utterance lies; of words that are right only.

A seam is where a chunk ends and the next begins, in a silence or within speech. A word is lost where it is missing from
the long transcript and right one by one; it is doubled where one too many stands beside its equal.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from stitching import Placed, spoken_words, stitch
from tables import write_table

from asr import load_model
from asr.audio import stream_audio
from asr.data import read_manifest
from asr.evaluation import align, error_rate
from asr.inference import Transcriber, Word, texts
from asr.provenance import provenance
from asr.text import normalise

NEAR_S = 1.0

Measure = dict
"""What long_recordings_worker.py prints."""

Seams = dict[str, np.ndarray]
"""By kind, the seconds of the seams (n,)."""


@dataclass(frozen=True)
class Pair:
    """A column of the alignment of all references with the long transcript; either word may be missing."""

    said: Word | None
    heard: Word | None
    was_right: bool = False
    """Whether the word was right one by one."""
    is_double: bool = False
    """Whether nobody said it, and its equal stands beside it."""

    @property
    def is_right(self) -> bool:
        """Whether the long transcript has the word."""
        return self.said is not None and self.heard is not None and self.said.text == self.heard.text

    @property
    def is_lost(self) -> bool:
        """Whether only the long transcript misses it."""
        return self.heard is None and self.was_right

    @property
    def at_s(self) -> float:
        """Its middle."""
        word = self.said or self.heard
        return (word.start + word.end) / 2 if word else 0.0


def main() -> None:
    """Stitch, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--runs", type=int, default=3, help="processes for the minute, and for the whole")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    model = load_model(arguments.bundle, threads=2)
    with tempfile.TemporaryDirectory() as folder:
        whole, minute = Path(folder) / "whole.wav", Path(folder) / "minute.wav"
        utterances = read_manifest(arguments.manifest)
        placed = stitch(utterances, 3600 * arguments.hours, whole, model.sample_rate, arguments.seed)
        soundfile.write(minute, soundfile.read(whole, frames=60 * model.sample_rate)[0], model.sample_rate)
        runs = [[measured(arguments.bundle, path) for path in (minute, whole)] for _ in range(arguments.runs)]
        minutes, wholes = zip(*runs, strict=True)
        seams = seams_of(model, whole)
    heard = [Word(text, start, end, 1.0) for text, start, end in wholes[0]["words"]]
    rows = [*costs(minutes, wholes), *words(model, placed, heard, seams)]
    made = provenance(arguments.seed)
    write_table(
        "long_recordings.py",
        f"`python benchmarks/long_recordings.py`: {wholes[0]['duration'] / 3600:.2f} hours of {len(placed)} utterances "
        f"of {arguments.manifest.parent.name}/{arguments.manifest.stem}, bundle {model.bundle.card.name}, "
        f"{model.bundle.precisions[0]}; median of {arguments.runs} processes of two threads.\n\n"
        "| what | a minute | the whole |  | goal |\n|---|---|---|---|---|\n" + "\n".join(rows) + f"\n\n"
        f"{made['hardware']}, Python {made['python']}, commit {made['commit']}, {made['date']}.",
    )


def measured(bundle: str, recording: Path) -> Measure:
    """What a fresh process takes for a recording."""
    worker = Path(__file__).with_name("long_recordings_worker.py")
    command = [sys.executable, str(worker), bundle, str(recording)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def seams_of(model: Transcriber, recording: Path) -> Seams:
    """Where the chunks of a recording end."""
    reader = model.pipeline.reader()
    blocks = stream_audio(recording, model.sample_rate)
    spans = [chunk.span for block in blocks for chunk in reader.accept(block)]
    spans += [chunk.span for chunk in reader.finish()]
    return {
        place: np.array([span.core_stop for span in spans if span.goes_on == is_within]) / model.sample_rate
        for place, is_within in (("cuts within speech", True), ("ends in a silence", False))
    }


# Memory and time


def costs(minutes: Sequence[Measure], wholes: Sequence[Measure]) -> Iterator[str]:
    """Rows of memory and real-time factors."""
    least, most = (statistics.median(m["peak_mb"] for m in measures) for measures in (minutes, wholes))
    yield f"| peak memory, MB | {least:.0f} | {most:.0f} | {most - least:+.0f} | at most +300 |"
    for clock in ("wall", "processor"):
        short, long = (statistics.median(m[clock] / m["duration"] for m in ms) for ms in (minutes, wholes))
        change = 100 * (long / short - 1)
        yield f"| real-time factor, {clock} | {short:.4f} | {long:.4f} | {change:+.0f} % | within 10 % |"


# Words


def words(model: Transcriber, placed: Sequence[Placed], heard: Sequence[Word], seams: Seams) -> Iterator[str]:
    """Rows of errors, seams and times."""
    normaliser = model.bundle.normaliser
    references = [normalise(p.utterance.text, normaliser) for p in placed]
    read = texts(model.transcribe_utterances((p.utterance for p in placed), batch_size=1))
    alone = [normalise(str(text), normaliser) for text in read]
    heard = [Word(text, w.start, w.end, w.confidence) for w in heard if (text := normalise(w.text, normaliser))]
    one_by_one = 100 * error_rate(references, alone).rate
    together = 100 * error_rate([" ".join(references)], [" ".join(w.text for w in heard)]).rate
    yield (
        f"| WER, utterances one by one, and the whole | {one_by_one:.2f} % | {together:.2f} % "
        f"| {together - one_by_one:+.2f} | at most +0.5 |"
    )
    pairs = list(paired([w for p in placed for w in spoken_words(model, p)], heard, right(references, alone)))
    yield from at_seams(pairs, seams)
    yield from times([pair for pair in pairs if pair.is_right])


def right(references: Sequence[str], texts: Sequence[str]) -> list[bool]:
    """Whether each reference's each word is right, all in a row."""
    return [
        column.mark == ""
        for reference, text in zip(references, texts, strict=True)
        for column in align(reference, text)
        if column.reference
    ]


def paired(said: Sequence[Word], heard: Sequence[Word], was_right: Sequence[bool]) -> Iterator[Pair]:
    """Yield the columns of a least-cost alignment."""
    of_said, at = iter(zip(said, was_right, strict=True)), 0
    for column in align(" ".join(w.text for w in said), " ".join(w.text for w in heard)):
        word, well = next(of_said) if column.reference else (None, False)
        if not column.hypothesis:
            yield Pair(word, None, well)
            continue
        beside = {w.text for w in (*heard[max(at - 1, 0) : at], *heard[at + 1 : at + 2])}
        yield Pair(word, heard[at], well, is_double=word is None and heard[at].text in beside)
        at += 1


def at_seams(pairs: Sequence[Pair], seams: Seams) -> Iterator[str]:
    """Rows of lost and doubled words, near seams and elsewhere."""
    rest = list(pairs)
    for kind, places in seams.items():
        near = [pair for pair in rest if len(places) and np.abs(places - pair.at_s).min() <= NEAR_S]
        rest = [pair for pair in rest if not len(places) or np.abs(places - pair.at_s).min() > NEAR_S]
        yield f"| words within {NEAR_S:.0f} s of {len(places)} {kind}; lost, doubled |  | {lost(near)} |  | none |"
    yield f"| words elsewhere; lost, doubled |  | {lost(rest)} |  |  |"


def lost(pairs: Sequence[Pair]) -> str:
    """How many were said, lost and doubled."""
    said = sum(pair.said is not None for pair in pairs)
    return f"{said}; {sum(pair.is_lost for pair in pairs)}, {sum(pair.is_double for pair in pairs)}"


def times(pairs: Sequence[Pair]) -> Iterator[str]:
    """Rows of how far the right words' ends are from where they were said."""
    for end in ("start", "end"):
        off = [abs(getattr(p.said, end) - getattr(p.heard, end)) for p in pairs]
        middle, most = np.percentile(off, [50, 90]) if off else (np.nan, np.nan)
        yield (
            f"| word {end}s, s from forced alignment, median and 90 % of {len(off)} right words |  "
            f"| {middle:.3f}, {most:.3f} |  | median at most 0.15 |"
        )


if __name__ == "__main__":
    main()
