"""How far an error rate may be off: the bootstrap over speakers, studentised.

The errors of one speaker go together, so resampling utterances gives intervals that are too narrow; whole
speakers are drawn instead (Bisani and Ney, ICASSP 2004). Of few speakers the percentiles of the resampled rates are
too narrow as well, so the resamples are studentised (``asr.evaluation.bootstrap``).

How often intervals of 95 % held the true rate of 2000 simulated corpora, per cent:

==========================================  =====  =====  =====  =====  =====  =====
speakers                                        3      5      8     10     20     40
==========================================  =====  =====  =====  =====  =====  =====
rates unlike, 20 % in the mean                 92     97     96     95     96     97
and lengths unlike, some ten times others      90     93     94     94     95     94
rates very unlike: a few speakers far worse    88     94     93     94     94     96
4 % errors, about 8 a speaker                  92     95     95     95     96     95
1 % errors, half of the speakers have none     76     90     90     89     95     97
percentiles: the first three rows           70-75  78-84  82-89  86-91  88-93  91-94
==========================================  =====  =====  =====  =====  =====  =====

So the claim holds within two points from five speakers on, unless half of them have no error at all; of three and four
it is a few points too high.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from asr.evaluation.bootstrap import bootstrap_ratio
from asr.evaluation.error_rate import ErrorRate

RESAMPLES = 5000

Over = Literal["speakers", "utterances"]


@dataclass(frozen=True)
class Interval:
    """An interval of an error rate, fractions; ``over`` says what was drawn, ``groups`` of how many.

    ``resamples`` is 0 where there were too few groups to draw from, and Student's t gave the interval.
    """

    low: float
    high: float
    over: Over
    groups: int
    level: float
    resamples: int
    seed: int


def bootstrap_interval(
    groups: Sequence[ErrorRate],
    *,
    over: Over = "speakers",
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval | None:
    """Bootstrap-t interval of the corpus rate when ``groups`` are drawn with replacement; its low end is 0 or more.

    Resamples whose references are all empty have no rate and are left out.

    Returns:
        None where there is nothing to resample: fewer than two groups, or no reference at all.
    """
    errors, words = [group.errors for group in groups], [group.reference_length for group in groups]
    found = bootstrap_ratio(errors, words, resamples=resamples, seed=seed)
    if found is None:
        return None
    low, high = found.bounds(level)
    return Interval(max(low, 0.0), high, over, len(groups), level, resamples if len(found.pivots) else 0, seed)
