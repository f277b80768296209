"""What an interval of 95 % is worth: how often it holds the true rate of simulated corpora."""

import numpy as np
import pytest

from asr.evaluation import ErrorRate, bootstrap_interval

TRUE_RATE = 0.2


def simulated(generator, speakers=40, utterances=20):
    """Errors and words (speakers, utterances) where each speaker has an own error rate, 0.2 in the mean."""
    rates = generator.beta(2, 8, size=(speakers, 1))
    words = generator.integers(5, 15, size=(speakers, utterances))
    return generator.binomial(words, rates), words


def groups(errors, words):
    return [ErrorRate(int(e), 0, 0, int(n)) for e, n in zip(errors, words, strict=True)]


def covered(pool, corpora=200):
    generator = np.random.default_rng(7)
    held = 0
    for seed in range(corpora):
        errors, words = (pool(table) for table in simulated(generator))
        interval = bootstrap_interval(groups(errors, words), resamples=400, seed=seed)
        held += interval.low <= TRUE_RATE <= interval.high
    return held / corpora


def test_drawn_over_speakers_it_holds_the_truth_about_as_often_as_it_says():
    assert 0.87 <= covered(lambda table: table.sum(axis=1)) <= 1.0


def test_drawn_over_utterances_it_holds_the_truth_far_less_often():
    assert covered(np.ravel, corpora=60) < 0.7


def test_it_is_as_wide_as_the_central_limit_theorem_has_it():
    errors, words = simulated(np.random.default_rng(3), speakers=400)
    rate = errors.sum() / words.sum()
    residuals = errors.sum(axis=1) - rate * words.sum(axis=1)
    deviation = residuals.std() * np.sqrt(400) / words.sum()
    interval = bootstrap_interval(groups(errors.sum(axis=1), words.sum(axis=1)))
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * deviation, rel=0.05)


def test_the_seed_decides():
    sample = groups([1, 4, 2], [10, 11, 12])
    assert bootstrap_interval(sample, seed=1) == bootstrap_interval(sample, seed=1)
    assert bootstrap_interval(sample, seed=1, resamples=50) != bootstrap_interval(sample, seed=2, resamples=50)


def test_chunks_of_memory_leave_the_resamples_whole(monkeypatch):
    errors, words = simulated(np.random.default_rng(0))
    sample = groups(errors.sum(axis=1), words.sum(axis=1))
    whole = bootstrap_interval(sample, resamples=100)
    monkeypatch.setattr("asr.evaluation.interval._AT_ONCE", 7 * len(sample))
    assert bootstrap_interval(sample, resamples=100) == whole


def test_groups_alike_have_an_interval_of_no_width():
    interval = bootstrap_interval([ErrorRate(1, 0, 0, 4)] * 3)
    assert (interval.low, interval.high) == (0.25, 0.25)


def test_it_says_what_was_drawn():
    interval = bootstrap_interval(groups([1, 2], [9, 9]), over="utterances", seed=5)
    assert (interval.over, interval.groups, interval.level, interval.seed) == ("utterances", 2, 0.95, 5)


@pytest.mark.parametrize("sample", [[], [ErrorRate(1, 0, 0, 4)], [ErrorRate(insertions=1)] * 2])
def test_nothing_to_resample_gives_none(sample):
    assert bootstrap_interval(sample) is None


def test_resamples_without_a_reference_are_left_out():
    interval = bootstrap_interval([ErrorRate(insertions=1), ErrorRate(1, 0, 0, 4)])
    assert 0 < interval.low <= interval.high < np.inf
