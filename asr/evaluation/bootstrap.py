"""The studentised bootstrap (bootstrap-t): confidence intervals of a ratio of sums over groups.

A corpus error rate is r = sum(e_g) / sum(w_g) over groups g, which are speakers, with e_g errors in w_g words.
The standard deviation of r is that of its linearisation (the delta method),

    s² = G / (G - 1) · sum((e_g - r·w_g)²) / sum(w_g)²,

and each resample of G groups, drawn with replacement, gives a pivot t* = (r* - r) / s*. The quantiles of t* show how
much wider and more skewed than a normal distribution the studentised error of r is. So the interval covers the true
rate as often as it claims even for few and unequal groups, where the percentiles of r* itself (Bisani and Ney, ICASSP
2004) are too narrow.

Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 12; Hall, Annals of Statistics 16, 1988.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from asr.evaluation.student import quantile, two_sided_p

FEWEST = 5
"""Smallest number of groups for resampling; fewer have too few different resamples, and Student's t is used alone."""

_AT_ONCE = 1 << 20
"""Largest number of draws held in memory together."""

_ROUNDING = 1e-9
"""A squared deviation below this fraction of the terms it is the difference of counts as 0."""


@dataclass(frozen=True)
class BootstrappedRatio:
    """A ratio of sums over ``groups``, its standard ``deviation`` s, and the ``pivots`` (resamples,) of its resamples.

    Intervals are never narrower than those of Student's t with G - 1 degrees of freedom: where few groups have any
    errors, most resamples are alike, and the pivots alone would give too narrow intervals.
    """

    ratio: float
    deviation: float
    pivots: np.ndarray
    groups: int

    def bounds(self, level: float) -> tuple[float, float]:
        """Return the ends (low, high) of the confidence interval of this ``level``, 0 to 1."""
        least = quantile(level, self.groups - 1)
        low, high = -least, least
        if len(self.pivots):
            tails = np.quantile(self.pivots, [(1 - level) / 2, (1 + level) / 2])
            low, high = min(low, tails[0]), max(high, tails[1])
        return float(self.ratio - high * self.deviation), float(self.ratio - low * self.deviation)

    def p_value(self) -> float:
        """Return the two-sided p-value of the hypothesis that the ratio is 0.

        It is 1 minus the level at which ``bounds`` reaches 0, but at least 2 / (resamples + 1). If all groups have the
        same ratio, the deviation is 0, and p is 2^(1 - G), that of the sign test.
        """
        if self.deviation == 0:
            return 2.0 ** (1 - self.groups) if self.ratio else 1.0
        t = self.ratio / self.deviation
        beyond = np.count_nonzero(self.pivots >= t if t > 0 else self.pivots <= t)
        resampled = 2 * (beyond + 1) / (len(self.pivots) + 1) if len(self.pivots) else 0.0
        return float(min(1, max(resampled, two_sided_p(t, self.groups - 1))))


def bootstrap_ratio(
    numerators: ArrayLike, denominators: ArrayLike, *, resamples: int, seed: int
) -> BootstrappedRatio | None:
    """Resample the ratio of the sums of ``numerators`` (G,) and ``denominators`` (G,), the latter 0 or more.

    Resamples whose denominators are all 0, or whose groups all have the same ratio, have no pivot and are left out.

    Returns:
        None if nothing can be resampled: fewer than two groups, or denominators that are all 0.
    """
    e, w = np.asarray(numerators, np.float64), np.asarray(denominators, np.float64)
    if len(e) < 2 or not w.any():
        return None
    columns = np.stack([e, w, e * e, e * w, w * w], axis=1)
    ratio, deviation = (float(of_all[0]) for of_all in _ratios(columns.sum(axis=0, keepdims=True), len(e)))
    pivots = np.empty(0)
    if len(e) >= FEWEST and deviation:
        drawn = np.concatenate(list(_drawn_sums(columns, resamples, np.random.default_rng(seed))))
        ratios, deviations = _ratios(drawn[drawn[:, 1] > 0], len(e))
        pivots = (ratios[deviations > 0] - ratio) / deviations[deviations > 0]
    return BootstrappedRatio(ratio, deviation, pivots, len(e))


def _ratios(sums: np.ndarray, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Compute ratios (R,) and their standard deviations (R,) from sums (R, 5) of e, w, e², ew and w²."""
    e, w, ee, ew, ww = sums.T
    ratios = e / w
    squares = ee - 2 * ratios * ew + ratios**2 * ww
    squares[squares < _ROUNDING * (ee + ratios**2 * ww)] = 0
    return ratios, np.sqrt(groups / (groups - 1) * squares) / w


def _drawn_sums(columns: np.ndarray, resamples: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
    """Draw resamples of G rows from ``columns`` (G, C); yield the sums (r, C) of r resamples at a time."""
    groups = len(columns)
    rows = max(1, _AT_ONCE // groups)
    for start in range(0, resamples, rows):
        r = min(rows, resamples - start)
        drawn = generator.integers(groups, size=(r, groups)) + groups * np.arange(r)[:, None]
        times = np.bincount(drawn.ravel(), minlength=r * groups).reshape(r, groups)
        yield times.astype(np.float64) @ columns
