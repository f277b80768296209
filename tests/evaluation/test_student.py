"""Student's t beside scipy's."""

import math

import pytest
from scipy import stats

from asr.evaluation.student import quantile, two_sided_p


@pytest.mark.parametrize("degrees", [1, 2, 3, 7, 9, 39, 500, 10_000])
def test_it_is_scipys(degrees):
    for t in (-3, 0, 0.1, 0.5, 1, 2, 4, 10, 100):
        assert two_sided_p(t, degrees) == pytest.approx(2 * stats.t.sf(abs(t), degrees), rel=1e-10, abs=1e-300)
    for level in (0.5, 0.9, 0.95, 0.999):
        assert quantile(level, degrees) == pytest.approx(stats.t.ppf((1 + level) / 2, degrees), rel=1e-9)


def test_nothing_is_beyond_infinity():
    assert two_sided_p(math.inf, 3) == two_sided_p(-math.inf, 3) == 0
