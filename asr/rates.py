"""Error rates as files hold them: in model cards, in a recipe's results, in the output of ``asr evaluate --json``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Over = Literal["speakers", "utterances"]


@dataclass(frozen=True)
class Interval:
    """A confidence interval of an error rate, as fractions; ``groups`` speakers or utterances (``over``) were drawn.

    ``resamples`` is 0 if there were too few groups to resample, and the interval is that of Student's t.
    """

    low: float
    high: float
    over: Over
    groups: int
    level: float
    resamples: int
    seed: int


@dataclass(frozen=True)
class Rate:
    """An error rate with its counts; ``rate`` is a fraction, None where the reference is empty."""

    rate: float | None
    substitutions: int
    deletions: int
    insertions: int
    reference_length: int
    interval: Interval | None = None
