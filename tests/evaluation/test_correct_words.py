"""Right words against jiwer's count of hits, and by example."""

import jiwer
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.evaluation.correct_words import correct_words

texts = st.lists(st.sampled_from("A BB CCC D".split()), max_size=8).map(" ".join)


@given(texts, texts)
def test_as_many_are_right_as_jiwer_counts(reference, hypothesis):
    marks = correct_words(reference, hypothesis)
    assert len(marks) == len(hypothesis.split())
    assert marks.sum() == jiwer.process_words(reference, hypothesis).hits


@pytest.mark.parametrize(
    ("reference", "hypothesis", "marks"),
    [
        ("GO ON", "GO ON", [True, True]),
        ("GO ON", "GO", [True]),
        ("GO", "GO GO ON", None),
        ("", "GO", [False]),
        ("GO", "", []),
    ],
)
def test_each_word_has_a_mark(reference, hypothesis, marks):
    found = correct_words(reference, hypothesis).tolist()
    assert found == marks if marks is not None else sum(found) == 1 and not found[2]
