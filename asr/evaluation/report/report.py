"""What a page is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from asr.evaluation.evaluation import Evaluation
from asr.evaluation.hypotheses import HypothesisWord


@dataclass(frozen=True)
class System:
    """What was evaluated: its name, its scores, and its words by id where it says how sure it is of them."""

    name: str
    evaluation: Evaluation
    words: Mapping[str, Sequence[HypothesisWord]] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """What a page shows.

    Attributes:
        title: of the page.
        facts: where the numbers come from (model, manifest, commit, date), by name, in the order to show them.
        system: what the page is about.
        others: evaluated on the same references, to be shown beside it.
        durations: seconds by id, where they are known.
        recordings: data: URIs by id (``embed_recordings``), of as many as the page shall carry.
        seed: of the bootstrap of differences.
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
        """The one that the page is about, and the others."""
        return (self.system, *self.others)
