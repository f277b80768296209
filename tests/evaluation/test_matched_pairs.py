"""The matched-pair test beside a worked example, scipy, and systems of which it is known who is better."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from asr.evaluation import matched_pairs, utterance_errors
from asr.evaluation.matched_pairs import error_segments

NUMBERS = "ONE TWO SIX TEN ONE TWO TEN SIX ONE TWO"


@pytest.mark.parametrize(
    ("a", "b", "segments"),
    [
        ("ONE TWO SIX TEN ONE TWO TEN SIX ONE TWO", "ONE TWO SIX TEN ONE TWO TEN SIX ONE TWO", []),
        # Two right words between the errors part them, one does not.
        ("X TWO SIX X ONE TWO TEN SIX ONE TWO", "ONE TWO SIX TEN ONE TWO TEN SIX ONE TWO", [(1, 0), (1, 0)]),
        ("X TWO X TEN ONE TWO TEN SIX ONE TWO", "ONE TWO SIX TEN ONE TWO TEN SIX ONE TWO", [(2, 0)]),
        # Both must read them right.
        ("X TWO SIX X ONE TWO TEN SIX ONE TWO", "ONE TWO X TEN ONE TWO TEN SIX ONE TWO", [(2, 1)]),
        # A word more between two right words keeps them from bounding.
        ("X TWO OH SIX X ONE TWO TEN SIX ONE TWO", "ONE TWO SIX TEN ONE TWO TEN SIX ONE TWO", [(3, 0)]),
        # Ends of the utterance are bounds.
        ("OH ONE TWO SIX TEN ONE TWO TEN SIX ONE", "ONE TWO SIX TEN ONE TWO TEN SIX ONE TWO OH", [(1, 0), (1, 1)]),
        ("", "ONE TWO SIX TEN ONE TWO TEN SIX ONE X", [(10, 1)]),
    ],
)
def test_segments_end_where_both_read_two_words_in_a_row_right(a, b, segments):
    assert error_segments(NUMBERS, a, b) == segments


def test_where_nothing_was_said_the_whole_utterance_is_a_segment():
    assert error_segments("", "OH", "") == [(1, 0)]
    assert error_segments("", "", "") == []


TEXTS = st.lists(st.sampled_from("ABC"), max_size=12).map(" ".join)


@given(TEXTS, TEXTS, TEXTS)
def test_segments_hold_every_error_once_and_none_is_empty(reference, a, b):
    segments = error_segments(reference, a, b)
    assert all(any(segment) for segment in segments)
    totals = [sum(column) for column in zip(*segments, strict=True)] or [0, 0]
    assert totals == [utterance_errors([reference], [text])[0].errors for text in (a, b)]


@given(TEXTS, TEXTS, TEXTS)
def test_segments_of_b_and_a_are_those_of_a_and_b(reference, a, b):
    assert error_segments(reference, b, a) == [pair[::-1] for pair in error_segments(reference, a, b)]


def test_a_worked_example():
    """Z = 2, 1, 1, 0, -1, 2, 0, 1, 1, 1: mean 0.8, squares about it 7.6, W = 0.8 / sqrt(7.6 / 9 / 10) = 2.753."""
    a, b = [3, 1, 2, 1, 0, 2, 1, 1, 2, 1], [1, 0, 1, 1, 1, 0, 1, 0, 1, 0]
    found = matched_pairs([*zip(a, b, strict=True)])
    assert (found.segments, found.a_fewer, found.b_fewer) == (10, 1, 7)
    assert found.mean == pytest.approx(0.8)
    assert found.deviation == pytest.approx(math.sqrt(7.6 / 9))
    assert found.p == pytest.approx(0.02235, abs=2e-5)


@pytest.mark.parametrize("segments", [12, 50, 2000])
def test_it_is_scipys_paired_t_test_and_of_many_segments_the_normal_one(segments):
    generator = np.random.default_rng(segments)
    a, b = generator.poisson(1.1, segments), generator.poisson(1.0, segments)
    found = matched_pairs([*zip(a.tolist(), b.tolist(), strict=True)])
    assert found.p == pytest.approx(stats.ttest_rel(a, b).pvalue)
    if segments == 2000:
        z = (a - b).mean() / ((a - b).std(ddof=1) / math.sqrt(segments))
        assert found.p == pytest.approx(2 * stats.norm.sf(abs(z)), abs=1e-4)


def test_few_segments_alike_are_no_proof():
    """A t-test would be infinitely sure of five segments with one error each; the signs are so by chance 1 in 16."""
    assert [matched_pairs([(1, 0)] * n).p for n in (1, 2, 5, 6)] == [1, 0.5, 2**-4, 2**-5]


@pytest.mark.parametrize("segments", [[], [(1, 1)], [(1, 1)] * 5, [(1, 0), (0, 1)]])
def test_without_a_difference_p_is_1(segments):
    assert matched_pairs(segments).p == 1


def spoken(generator, reference, error_rate):
    """``reference`` (a list of words) with errors in bursts: in a burst one word in two is wrong."""
    in_burst, heard = False, []
    for word in reference:
        in_burst = generator.random() < (0.7 if in_burst else error_rate)
        heard.append("X" if in_burst and generator.random() < 0.5 else word)
    return " ".join(heard)


def p_of_systems(generator, rate_a, rate_b, utterances=40):
    segments = []
    for _ in range(utterances):
        reference = [f"W{i}" for i in generator.integers(50, size=15)]
        texts = [spoken(generator, reference, rate) for rate in (rate_a, rate_b)]
        segments += error_segments(" ".join(reference), *texts)
    return matched_pairs(segments).p


def test_of_systems_alike_one_in_twenty_seems_better():
    """Errors of a segment depend on each other, which a test by words would take for proof."""
    generator = np.random.default_rng(1)
    found = sum(p_of_systems(generator, 0.1, 0.1) < 0.05 for _ in range(300))
    assert stats.binomtest(found, 300, 0.05).pvalue > 0.001


def test_a_clearly_better_system_is_found_so_nearly_always():
    generator = np.random.default_rng(2)
    assert sum(p_of_systems(generator, 0.15, 0.05) < 0.05 for _ in range(50)) >= 45
