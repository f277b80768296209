"""Alignments spell both texts again, and mark as many errors as are counted."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from asr.evaluation import align, alignment_lines, error_rate

texts = st.lists(st.sampled_from("A BB CCC D".split()), max_size=8).map(" ".join)


@given(texts, texts)
def test_columns_spell_both_texts(reference, hypothesis):
    columns = align(reference, hypothesis)
    assert " ".join(c.reference for c in columns if c.reference) == reference
    assert " ".join(c.hypothesis for c in columns if c.hypothesis) == hypothesis


@given(texts, texts)
def test_marks_are_the_counted_errors(reference, hypothesis):
    marks = Counter(column.mark for column in align(reference, hypothesis))
    counted = error_rate([reference], [hypothesis])
    assert (marks["S"], marks["D"], marks["I"]) == (
        counted.substitutions,
        counted.deletions,
        counted.insertions,
    )


def test_an_insertion_stands_under_stars_and_a_deletion_over_them():
    assert alignment_lines("ONE TWO", "OH ONE") == [
        "REF  ** ONE TWO",
        "HYP  OH ONE ***",
        "     I      D",
    ]


def test_both_texts_empty_give_empty_lines():
    assert alignment_lines("", "") == ["REF", "HYP", ""]


@given(texts, texts, st.integers(10, 30))
def test_long_alignments_are_folded_and_lose_nothing(reference, hypothesis, width):
    lines = alignment_lines(reference, hypothesis, width)
    assert all(len(line) <= width for line in lines)
    shown = " ".join(line[5:] for line in lines[0::3]).split()
    assert " ".join(word for word in shown if "*" not in word) == reference


def test_a_word_longer_than_the_width_keeps_its_own_line():
    lines = alignment_lines("A " + "B" * 40, "A C", width=20)
    assert lines[0::3] == ["REF  A", "REF  " + "B" * 40]
