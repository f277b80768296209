"""The content of a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from asr.evaluation.evaluation import Evaluation
from asr.evaluation.hypotheses import HypothesisWord


@dataclass(frozen=True)
class System:
    """An evaluated system: its name, its scores, and its words with confidence by id, where it gives them."""

    name: str
    evaluation: Evaluation
    words: Mapping[str, Sequence[HypothesisWord]] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """The content of a page.

    Attributes:
        title: the title of the page.
        facts: the provenance of the numbers (model, manifest, commit, date) by name, in the order to show them.
        system: the system that the page is about.
        others: other systems on the same references, shown for comparison.
        durations: durations in seconds by id, where they are known.
        recordings: data: URIs by id (``embed_recordings``) of the recordings in the page.
        seed: seed of the bootstrap of differences.
    """

    title: str
    facts: Mapping[str, str]
    system: System
    others: tuple[System, ...] = ()
    durations: Mapping[str, float] = field(default_factory=dict)
    recordings: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0

    @property
    def systems(self) -> tuple[System, ...]:
        """The system that the page is about, and the others."""
        return (self.system, *self.others)
