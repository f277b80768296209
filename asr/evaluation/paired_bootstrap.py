"""The paired bootstrap: a confidence interval of the difference of two error rates on the same utterances.

Bisani and Ney, "Bootstrap estimates for confidence intervals in ASR performance evaluation", ICASSP 2004: speech that
is hard for one system is hard for the other, so a resample draws a speaker's errors of both systems together, and the
difference varies less than the rates do. The resamples are studentised (``asr.evaluation.bootstrap``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asr.evaluation.bootstrap import bootstrap_ratio
from asr.evaluation.error_rate import ErrorRate
from asr.evaluation.interval import RESAMPLES
from asr.rates import Interval, Over


@dataclass(frozen=True)
class Difference:
    """The error rate of A minus that of B, a fraction, its interval, and the two-sided p-value that it is 0."""

    rate: float
    interval: Interval
    p: float

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 is outside the interval."""
        return self.interval.low > 0 or self.interval.high < 0


def paired_bootstrap(
    a: Sequence[ErrorRate],
    b: Sequence[ErrorRate],
    *,
    over: Over = "speakers",
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Difference | None:
    """Resample the difference of two error rates, drawing the same groups of ``a`` and ``b`` with replacement.

    Group i of ``a`` and of ``b`` must have the same references.

    Returns:
        None if nothing can be resampled: fewer than two groups, or no words in any reference.
    """
    differences = [of_a.errors - of_b.errors for of_a, of_b in zip(a, b, strict=True)]
    found = bootstrap_ratio(differences, [of_a.reference_length for of_a in a], resamples=resamples, seed=seed)
    if found is None:
        return None
    low, high = found.bounds(level)
    drawn = resamples if len(found.pivots) else 0
    return Difference(found.ratio, Interval(low, high, over, len(a), level, drawn, seed), found.p_value())
