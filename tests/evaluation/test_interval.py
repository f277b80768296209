"""What an interval of 95 % is worth: how often it holds the true rate of simulated corpora."""

import numpy as np
import pytest

from asr.evaluation import ErrorRate, bootstrap_interval

CORPORA = 400
FOUR_SIGMA = 4 * np.sqrt(0.95 * 0.05 / CORPORA)
"""How far from 95 % the coverage of so many corpora may be by chance: 4.4 points."""


def alike_in_length(generator, speakers):
    """Errors and words (speakers, 20 utterances); each speaker has an own error rate, 0.2 in the mean."""
    words = generator.integers(5, 15, size=(speakers, 20))
    return generator.binomial(words, generator.beta(2, 8, size=(speakers, 1))), words


def unlike_in_length(generator, speakers):
    """The same of speakers who say between some twenty and a thousand words."""
    words = np.maximum(20, generator.lognormal(5, 0.7, size=(speakers, 1))).astype(int)
    return generator.binomial(words, generator.beta(2, 8, size=(speakers, 1))), words


def groups(errors, words):
    return [ErrorRate(int(e), 0, 0, int(n)) for e, n in zip(errors, words, strict=True)]


def coverage(corpus, speakers, pool=lambda table: table.sum(axis=1), corpora=CORPORA):
    generator = np.random.default_rng(7)
    held = 0
    for seed in range(corpora):
        errors, words = map(pool, corpus(generator, speakers))
        interval = bootstrap_interval(groups(errors, words), resamples=400, seed=seed)
        held += interval.low <= 0.2 <= interval.high
    return held / corpora


@pytest.mark.parametrize("speakers", [5, 8, 10, 40])
@pytest.mark.parametrize("corpus", [alike_in_length, unlike_in_length])
def test_it_holds_the_truth_as_often_as_it_says_within_two_points(corpus, speakers):
    assert 0.95 - 0.02 - FOUR_SIGMA <= coverage(corpus, speakers) <= 0.95 + 0.02 + FOUR_SIGMA


def percentile_coverage(speakers):
    """Of what is drawn without being studentised, as the bootstrap is often done."""
    generator = np.random.default_rng(7)
    held = 0
    for _ in range(CORPORA):
        errors, words = (table.sum(axis=1) for table in alike_in_length(generator, speakers))
        drawn = generator.integers(speakers, size=(400, speakers))
        low, high = np.quantile(errors[drawn].sum(axis=1) / words[drawn].sum(axis=1), [0.025, 0.975])
        held += low <= 0.2 <= high
    return held / CORPORA


def test_percentiles_of_eight_speakers_hold_it_less_often():
    assert percentile_coverage(8) < 0.92 < coverage(alike_in_length, 8)


def test_drawn_over_utterances_it_holds_the_truth_far_less_often():
    assert coverage(alike_in_length, 40, np.ravel, corpora=60) < 0.7


def test_of_three_speakers_it_is_a_few_points_short():
    assert coverage(alike_in_length, 3) > 0.85


def test_it_is_as_wide_as_the_central_limit_theorem_has_it():
    errors, words = (table.sum(axis=1) for table in alike_in_length(np.random.default_rng(3), 400))
    rate = errors.sum() / words.sum()
    deviation = (errors - rate * words).std() * np.sqrt(400) / words.sum()
    interval = bootstrap_interval(groups(errors, words))
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * deviation, rel=0.05)


SAMPLE = groups([1, 4, 2, 0, 3, 9], [10, 11, 12, 13, 10, 14])


def test_the_seed_decides():
    def ends(seed):
        interval = bootstrap_interval(SAMPLE, seed=seed, resamples=50)
        return interval.low, interval.high

    assert ends(1) == ends(1)
    assert len({ends(seed) for seed in range(5)}) > 1


def test_chunks_of_memory_leave_the_resamples_whole(monkeypatch):
    whole = bootstrap_interval(SAMPLE, resamples=100)
    monkeypatch.setattr("asr.evaluation.bootstrap._AT_ONCE", 7 * len(SAMPLE))
    assert bootstrap_interval(SAMPLE, resamples=100) == whole


@pytest.mark.parametrize("number", [3, 8])
def test_groups_alike_have_an_interval_of_no_width(number):
    interval = bootstrap_interval([ErrorRate(1, 0, 0, 3), ErrorRate(2, 0, 0, 6)] * number)
    assert interval.low == interval.high == pytest.approx(1 / 3)


def test_four_groups_are_too_few_to_draw_from_and_five_are_not():
    assert [bootstrap_interval(SAMPLE[:n]).resamples for n in (4, 5)] == [0, 5000]


def test_of_two_groups_it_is_students_t():
    """Residuals 1 and -1 of 20 words: a deviation of 0.1, and 12.706 of them."""
    interval = bootstrap_interval(groups([3, 1], [10, 10]))
    assert (interval.low, interval.high) == (0.0, pytest.approx(0.2 + 12.7062 * 0.1, rel=1e-5))


def test_where_one_of_many_has_errors_it_is_no_narrower_than_students_t():
    interval = bootstrap_interval(groups([3] + [0] * 7, [100] * 8))
    rate, deviation = 3 / 800, 3 / 800
    assert interval.high >= rate + 2.36 * deviation
    assert interval.low == 0


def test_it_says_what_was_drawn():
    interval = bootstrap_interval(SAMPLE, over="utterances", seed=5)
    assert (interval.over, interval.groups, interval.level, interval.seed) == ("utterances", 6, 0.95, 5)


@pytest.mark.parametrize("sample", [[], [ErrorRate(1, 0, 0, 4)], [ErrorRate(insertions=1)] * 2])
def test_nothing_to_resample_gives_none(sample):
    assert bootstrap_interval(sample) is None


@pytest.mark.parametrize("number", [1, 4])
def test_resamples_without_a_reference_are_left_out(number):
    interval = bootstrap_interval([ErrorRate(insertions=1), ErrorRate(1, 0, 0, 4)] * number)
    assert 0 <= interval.low <= interval.high < np.inf
