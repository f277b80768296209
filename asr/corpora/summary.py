"""What a corpus came to: counts, hours, speakers, and what was dropped and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr.corpora.entry import Dropped
from asr.data import Utterance

#: Ids shown of each kind of drop.
SHOWN = 5


@dataclass(frozen=True)
class ManifestSummary:
    """One manifest.

    Attributes:
        path: the manifest; not written when nothing was kept.
        utterances: how many it has.
        hours: of speech, the utterances' durations added.
        speakers: how many different ones.
        dropped: reason → the ids dropped for it, in the corpus's order.
    """

    path: Path
    utterances: int
    hours: float
    speakers: int
    dropped: dict[str, list[str]]

    def reasons(self) -> list[str]:
        """One line a reason: ``13 no transcript: an406-fcaw-b, an407-fcaw-b, …``."""
        return [
            f"{len(ids)} {reason}: {', '.join(ids[:SHOWN])}{', …' if len(ids) > SHOWN else ''}"
            for reason, ids in self.dropped.items()
        ]

    def to_json(self) -> dict[str, Any]:
        """Return what ``summary.json`` holds of it; every dropped id, not just the first few."""
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
        """Utterances in all manifests together."""
        return sum(manifest.utterances for manifest in self.manifests)

    def to_json(self) -> dict[str, Any]:
        """Return what ``summary.json`` holds."""
        return {
            "corpus": self.corpus,
            "folder": str(self.folder),
            "manifests": [manifest.to_json() for manifest in self.manifests],
        }


def summarise(path: Path, utterances: Sequence[Utterance], drops: Sequence[Dropped]) -> ManifestSummary:
    """Count one manifest."""
    dropped: dict[str, list[str]] = {}
    for drop in drops:
        dropped.setdefault(drop.why, []).append(drop.id)
    hours = sum(utterance.duration for utterance in utterances) / 3600
    speakers = len({utterance.speaker for utterance in utterances})
    return ManifestSummary(path, len(utterances), hours, speakers, dropped)
