"""Confidence intervals of error rates, by the studentised bootstrap over speakers.

The errors of one speaker are correlated, so resampling utterances gives intervals that are too narrow; whole speakers
are drawn instead (Bisani and Ney, ICASSP 2004). With few speakers, the percentiles of the resampled rates are too
narrow as well, so the resamples are studentised (``asr.evaluation.bootstrap``).

Coverage in per cent: how often 95 % intervals contained the true rate of 2000 simulated corpora:

==========================================  =====  =====  =====  =====  =====  =====
speakers                                        3      5      8     10     20     40
==========================================  =====  =====  =====  =====  =====  =====
unequal rates, 20 % on average                 92     97     96     95     96     97
and unequal lengths, up to ten times           90     93     94     94     95     94
very unequal rates: few speakers far worse     88     94     93     94     94     96
4 % errors, about 8 for each speaker           92     95     95     95     96     95
1 % errors, half of the speakers have none     76     90     90     89     95     97
percentiles: the first three rows           70-75  78-84  82-89  86-91  88-93  91-94
==========================================  =====  =====  =====  =====  =====  =====

So coverage is within two points of 95 % from five speakers on, unless half of them have no errors at all; with three or
four it is a few points lower.
"""

from __future__ import annotations

from collections.abc import Sequence

from asr.evaluation.bootstrap import bootstrap_ratio
from asr.evaluation.error_rate import ErrorRate
from asr.rates import Interval, Over

RESAMPLES = 5000


def bootstrap_interval(
    groups: Sequence[ErrorRate],
    *,
    over: Over = "speakers",
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval | None:
    """Compute the bootstrap-t interval of the corpus rate by resampling ``groups``; its low end is 0 or more.

    Resamples whose references are all empty have no rate and are left out.

    Returns:
        None if nothing can be resampled: fewer than two groups, or no words in any reference.
    """
    errors, words = [group.errors for group in groups], [group.reference_length for group in groups]
    found = bootstrap_ratio(errors, words, resamples=resamples, seed=seed)
    if found is None:
        return None
    low, high = found.bounds(level)
    return Interval(max(low, 0.0), high, over, len(groups), level, resamples if len(found.pivots) else 0, seed)
