"""The difference of two systems: as often as it says, symmetric, and surer than two intervals side by side."""

import numpy as np
import pytest
from scipy import stats

from asr.evaluation import ErrorRate, bootstrap_interval, paired_bootstrap

WORDS = 200


def rates(errors):
    return [ErrorRate(int(e), 0, 0, WORDS) for e in errors]


def two_systems(generator, speakers, worse=1.0):
    """Errors (speakers,) of A and B: hard speakers are hard for both, but each has an own opinion of how hard."""
    hard = generator.beta(2, 12, size=speakers)
    own = np.exp(generator.normal(0, 0.2, size=(2, speakers)))
    chances = np.minimum(hard * own * np.array([[worse], [1.0]]), 1)
    return generator.binomial(WORDS, chances)


def share_significant(speakers, cases, worse=1.0):
    """How often p < 0.05, of so many cases."""
    generator = np.random.default_rng(speakers)
    found = 0
    for seed in range(cases):
        a, b = map(rates, two_systems(generator, speakers, worse))
        found += paired_bootstrap(a, b, resamples=400, seed=seed).p < 0.05
    return found


@pytest.mark.parametrize("speakers", [8, 40])
def test_of_systems_alike_no_more_than_one_in_twenty_seems_better(speakers):
    found = share_significant(speakers, 400)
    assert stats.binomtest(found, 400, 0.05, alternative="greater").pvalue > 0.001
    assert found >= 4


def test_a_clearly_better_system_is_found_so_nearly_always():
    assert share_significant(10, 50, worse=2.0) >= 45


def test_of_many_speakers_it_is_the_t_test_of_their_differences():
    a, b = two_systems(np.random.default_rng(0), 300, worse=1.03)
    found = paired_bootstrap(rates(a), rates(b))
    assert found.rate == pytest.approx((a - b).sum() / (300 * WORDS))
    assert found.p == pytest.approx(stats.ttest_rel(a, b).pvalue, rel=0.15)


def test_p_is_below_a_twentieth_just_where_the_interval_excludes_zero():
    generator = np.random.default_rng(5)
    excluding = []
    for seed in range(60):
        a, b = two_systems(generator, 8, worse=1.25)
        found = paired_bootstrap(rates(a), rates(b), seed=seed, resamples=1000)
        if abs(found.p - 0.05) > 0.005:  # the edge itself falls between two resamples
            assert found.excludes_zero == (found.p < 0.05)
            excluding.append(found.excludes_zero)
    assert {True, False} == set(excluding)


def test_b_and_a_are_a_and_b_with_the_sign_turned():
    a, b = map(rates, two_systems(np.random.default_rng(3), 10, worse=1.3))
    one, other = paired_bootstrap(a, b), paired_bootstrap(b, a)
    assert (one.rate, one.p) == (-other.rate, other.p)
    assert (one.interval.low, one.interval.high) == pytest.approx((-other.interval.high, -other.interval.low))


def test_what_is_hard_for_both_does_not_widen_it():
    a, b = map(rates, two_systems(np.random.default_rng(4), 20, worse=1.3))

    def width(interval):
        return interval.high - interval.low

    assert width(paired_bootstrap(a, b).interval) < 0.7 * width(bootstrap_interval(a))


def test_the_same_errors_are_no_difference():
    found = paired_bootstrap(rates([3, 9, 4, 5, 1, 7]), rates([3, 9, 4, 5, 1, 7]))
    assert (found.rate, found.interval.low, found.interval.high, found.p, found.excludes_zero) == (0, 0, 0, 1, False)


def test_a_difference_without_any_spread_is_as_sure_as_its_signs():
    assert paired_bootstrap(rates([2, 3, 4]), rates([1, 2, 3])).p == 0.25


@pytest.mark.parametrize("groups", [[], [ErrorRate(1, 0, 0, 4)], [ErrorRate(insertions=1)] * 2])
def test_nothing_to_resample_gives_none(groups):
    assert paired_bootstrap(groups, groups) is None
