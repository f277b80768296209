"""Counts against an edit distance written here, jiwer's own figures, and an example counted by hand."""

import math
from functools import reduce

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import EvaluationError
from asr.evaluation import ErrorRate, error_rate, utterance_errors

texts = st.lists(st.sampled_from("A B C DD".split()), max_size=6).map(" ".join)
pairs = st.lists(st.tuples(texts, texts), max_size=6)


def edit_distance(reference, hypothesis):
    """Wagner & Fischer 1974, one row at a time."""

    def next_row(row, token):
        new = [row[0] + 1]
        for i, other in enumerate(reference):
            new.append(min(row[i] + (token != other), row[i + 1] + 1, new[i] + 1))
        return new

    return reduce(next_row, hypothesis, list(range(len(reference) + 1)))[-1]


def test_counted_by_hand():
    # THE CAT SAT on THE mat / a THE CAT sits THE mat: one I, one S, one D.
    counted = error_rate(["THE CAT SAT ON THE MAT"], ["A THE CAT SITS THE MAT"])
    assert (counted.errors, counted.reference_length, counted.rate) == (3, 6, 0.5)
    assert error_rate(["A B C D"], ["A X C"]) == ErrorRate(1, 1, 0, 4)


def test_characters_count_the_space_between_words():
    assert error_rate(["AB CD"], ["ABCD"], "character") == ErrorRate(deletions=1, reference_length=5)


def test_white_space_is_one_space():
    assert error_rate([" A\t B\n"], ["A B"], "character") == ErrorRate(reference_length=3)


def test_the_corpus_rate_is_not_the_mean_of_rates():
    assert error_rate(["A", "A B C D E F G H I"], ["X", "A B C D E F G H I"]).rate == 1 / 10


def test_insertions_against_an_empty_reference_count():
    assert error_rate(["", "A B"], ["X Y Z", "A B"]) == ErrorRate(insertions=3, reference_length=2)


def test_rate_over_no_reference_at_all_is_never_zero():
    assert math.isnan(error_rate([""], [""]).rate)
    assert error_rate([""], ["X"]).rate == math.inf


@pytest.mark.parametrize("hypothesis", ["", "X"])
def test_a_rate_that_is_no_number_is_null_in_json(hypothesis):
    assert error_rate([""], [hypothesis]).to_json()["rate"] is None


def test_utterances_without_a_word_rank_behind_those_without_an_error():
    silent, right, wrong = (error_rate([r], [h]) for r, h in [("", ""), ("A", "A"), ("A", "B")])
    assert sorted([wrong, silent, right], key=lambda errors: errors.rank) == [silent, right, wrong]


def test_nothing_is_no_error():
    assert error_rate([], []) == ErrorRate()


@given(pairs, st.sampled_from(["word", "character"]))
def test_errors_are_the_edit_distance(corpus, unit):
    def split(text):
        return text.split() if unit == "word" else text

    counted = error_rate([r for r, _ in corpus], [h for _, h in corpus], unit)
    assert counted.errors == sum(edit_distance(split(r), split(h)) for r, h in corpus)
    assert counted.reference_length == sum(len(split(r)) for r, _ in corpus)


@given(pairs.filter(lambda corpus: all(r for r, _ in corpus) and corpus))
def test_rates_are_those_of_jiwer(corpus):
    references, hypotheses = map(list, zip(*corpus, strict=True))
    assert error_rate(references, hypotheses).rate == pytest.approx(jiwer.wer(references, hypotheses))
    characters = error_rate(references, hypotheses, "character")
    assert characters.rate == pytest.approx(jiwer.cer(references, hypotheses))


@given(texts, texts)
def test_rate_is_zero_only_for_equal_texts(reference, hypothesis):
    assert (error_rate([reference], [hypothesis]).rate == 0) == (reference == hypothesis != "")


@given(texts, texts)
def test_totals_are_symmetric(one, other):
    there, back = error_rate([one], [other]), error_rate([other], [one])
    assert there.errors == back.errors
    assert there.deletions - there.insertions == back.insertions - back.deletions


@given(pairs, st.randoms())
def test_order_does_not_matter(corpus, random):
    shuffled = random.sample(corpus, len(corpus))
    assert error_rate(*_columns(corpus)) == error_rate(*_columns(shuffled))


@given(pairs)
def test_the_corpus_is_the_sum_of_its_utterances(corpus):
    assert error_rate(*_columns(corpus)) == sum(utterance_errors(*_columns(corpus)), ErrorRate())


def _columns(corpus):
    return [r for r, _ in corpus], [h for _, h in corpus]


def test_lengths_that_differ_are_refused():
    with pytest.raises(EvaluationError, match="2 references and 1 hypotheses"):
        error_rate(["A", "B"], ["A"])


def test_an_unknown_unit_is_refused():
    with pytest.raises(EvaluationError, match="got 'phone'"):
        error_rate(["A"], ["A"], "phone")
