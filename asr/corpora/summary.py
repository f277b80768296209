"""The summary of a prepared corpus: counts, hours, speakers, and dropped items with their reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr.corpora.entry import Dropped
from asr.data import Utterance

#: Number of ids shown for each reason.
SHOWN = 5


@dataclass(frozen=True)
class ManifestSummary:
    """The figures of one manifest.

    Attributes:
        path: path of the manifest, which is not written when nothing was kept.
        utterances: number of utterances.
        hours: sum of the utterances' durations in hours.
        speakers: number of different speakers.
        dropped: reason → the ids dropped for it, in the corpus's order.
    """

    path: Path
    utterances: int
    hours: float
    speakers: int
    dropped: dict[str, list[str]]

    def reasons(self) -> list[str]:
        """Return one line for each reason: ``13 no transcript: an406-fcaw-b, an407-fcaw-b, …``."""
        return [
            f"{len(ids)} {reason}: {', '.join(ids[:SHOWN])}{', …' if len(ids) > SHOWN else ''}"
            for reason, ids in self.dropped.items()
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the manifest's part of ``summary.json``, with every dropped id."""
        return {
            "manifest": self.path.name,
            "utterances": self.utterances,
            "hours": round(self.hours, 4),
            "speakers": self.speakers,
            "dropped": self.dropped,
        }


@dataclass(frozen=True)
class Summary:
    """A prepared corpus: its name, the folder read, the folder written, and each manifest."""

    corpus: str
    folder: Path
    out: Path
    manifests: tuple[ManifestSummary, ...]

    @property
    def utterances(self) -> int:
        """Total number of utterances in all manifests."""
        return sum(manifest.utterances for manifest in self.manifests)

    def to_json(self) -> dict[str, Any]:
        """Return the content of ``summary.json``."""
        return {
            "corpus": self.corpus,
            "folder": str(self.folder),
            "manifests": [manifest.to_json() for manifest in self.manifests],
        }


def summarise(path: Path, utterances: Sequence[Utterance], drops: Sequence[Dropped]) -> ManifestSummary:
    """Compute the figures of one manifest."""
    dropped: dict[str, list[str]] = {}
    for drop in drops:
        dropped.setdefault(drop.why, []).append(drop.id)
    hours = sum(utterance.duration for utterance in utterances) / 3600
    speakers = len({utterance.speaker for utterance in utterances})
    return ManifestSummary(path, len(utterances), hours, speakers, dropped)
