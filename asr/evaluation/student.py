"""Student's t distribution, without SciPy, which the light installation lacks."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator


def two_sided_p(t: float, degrees: int) -> float:
    """Compute the probability that Student's t with ``degrees`` of freedom is at least as far from 0 as ``t``.

    It is the regularised incomplete beta function I_x(degrees/2, 1/2) at x = degrees / (degrees + t²) (Abramowitz
    and Stegun 1964, 26.7.1).

    >>> round(two_sided_p(2.262157, 9), 6)
    0.05
    """
    if math.isinf(t):
        return 0.0
    return _incomplete_beta(degrees / (degrees + t * t), degrees / 2, 0.5)


def quantile(level: float, degrees: int) -> float:
    """Find, by bisection, the t with the fraction ``level`` of the distribution between -t and t.

    >>> round(quantile(0.95, 7), 3)
    2.365
    """
    low, high = 0.0, 1.0
    while two_sided_p(high, degrees) > 1 - level:
        low, high = high, 2 * high
    while high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided_p(middle, degrees) > 1 - level else (low, middle)
    return high


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """Compute I_x(a, b) by its continued fraction, from the side where it converges fast."""
    if not 0 < x < 1:
        return float(x > 0)
    scale = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(scale + a * math.log(x) + b * math.log1p(-x))
    if x > (a + 1) / (a + b + 2):
        return 1 - front * _fraction(1 - x, b, a) / b
    return front * _fraction(x, a, b) / a


def _fraction(x: float, a: float, b: float) -> float:
    """Compute 1 / (1 + d1/(1 + d2/(1 + …))) of 26.5.8 by Lentz's method, until it has converged."""
    whole, c, d = 1.0, 1.0, 0.0
    for term in _terms(x, a, b):
        d = 1 / (1 + term * d)
        c = 1 + term / c
        whole *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return 1 / whole


def _terms(x: float, a: float, b: float) -> Iterator[float]:
    for m in itertools.count():
        yield -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        yield (m + 1) * (b - m - 1) * x / ((a + 2 * m + 1) * (a + 2 * m + 2))
