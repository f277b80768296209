"""How far an error rate may be off: the percentile bootstrap (Bisani & Ney, ICASSP 2004), over speakers.

The errors of one speaker go together, so resampling utterances gives intervals that are too narrow; whole
speakers are drawn instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from asr.evaluation.error_rate import ErrorRate

_AT_ONCE = 1 << 20
"""Draws held in memory together."""


@dataclass(frozen=True)
class Interval:
    """An interval of an error rate, fractions; ``over`` says what was drawn, ``groups`` of how many."""

    low: float
    high: float
    over: Literal["speakers", "utterances"]
    groups: int
    level: float
    resamples: int
    seed: int


def bootstrap_interval(
    groups: Sequence[ErrorRate],
    *,
    over: Literal["speakers", "utterances"] = "speakers",
    level: float = 0.95,
    resamples: int = 5000,
    seed: int = 0,
) -> Interval | None:
    """Percentile interval of the corpus rate when ``groups`` are drawn with replacement.

    Resamples whose references are all empty have no rate and are left out. Intervals of few groups are too
    narrow: those of 95 % covered the true rate of 300 simulated corpora in 91 % with 40 speakers, 88 % with 10,
    82 % with 5 and 68 % with 3 (drawn over utterances: in 45 % or fewer).

    Returns:
        None where there is nothing to resample: fewer than two groups, or no reference at all.
    """
    counts = np.array([(group.errors, group.reference_length) for group in groups], dtype=np.float64)
    if len(groups) < 2 or not counts[:, 1].any():
        return None
    sums = _resampled_sums(counts, resamples, np.random.default_rng(seed))
    sums = sums[sums[:, 1] > 0]
    low, high = np.quantile(sums[:, 0] / sums[:, 1], [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), over, len(groups), level, resamples, seed)


def _resampled_sums(counts: np.ndarray, resamples: int, generator: np.random.Generator) -> np.ndarray:
    """Errors and reference lengths (resamples, 2) of draws of G rows from the (G, 2) of ``counts``."""
    rows = max(1, _AT_ONCE // len(counts))
    sums = []
    for start in range(0, resamples, rows):
        drawn = generator.integers(len(counts), size=(min(rows, resamples - start), len(counts)))
        sums.append(np.stack([column[drawn].sum(axis=1) for column in counts.T], axis=1))
    return np.concatenate(sums)
