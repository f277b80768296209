"""Characters to labels and back; what cannot be inverted is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import VocabularyError
from asr.text import BLANK, Vocabulary

TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1)
"""Texts without control characters and halves of surrogate pairs, which a vocabulary refuses."""


def test_the_blank_is_zero_and_counted():
    vocabulary = Vocabulary(("A", "B"))
    assert BLANK == 0
    assert len(vocabulary) == 3
    assert vocabulary.encode("AB").tolist() == [1, 2]


def test_labels_are_int32():
    labels = Vocabulary(("A",)).encode("A")
    assert (labels.dtype, labels.shape) == (np.int32, (1,))
    assert Vocabulary(("A",)).encode("").shape == (0,)


def test_characters_are_in_code_point_order_whatever_the_order_of_texts():
    assert Vocabulary.from_texts(["CAB", "A B"]) == Vocabulary.from_texts(["B A", "BAC"])
    assert Vocabulary.from_texts(["CAB", "A B"]).characters == (" ", "A", "B", "C")


@given(TEXTS)
def test_decoding_undoes_encoding(text):
    vocabulary = Vocabulary.from_texts([text])
    assert vocabulary.decode(vocabulary.encode(text)) == text
    assert BLANK not in vocabulary.encode(text)


@given(TEXTS)
def test_json_keeps_every_character(text):
    vocabulary = Vocabulary.from_texts([text])
    assert Vocabulary.from_json(vocabulary.to_json()) == vocabulary


def test_an_unknown_character_is_named():
    with pytest.raises(VocabularyError, match=r"'AXY' has \['X', 'Y'\], not among 'AB'"):
        Vocabulary(("A", "B")).encode("AXY")
    assert Vocabulary(("A", "B")).unknown("AXA") == {"X"}


@pytest.mark.parametrize(
    ("characters", "reason"),
    [
        ((), "at least one"),
        (("A", "A"), "distinct"),
        (("AB",), "single character"),
        (("A", ""), "single character"),
        (("A", "\x1b"), "control character"),
    ],
)
def test_what_could_not_be_inverted_is_refused(characters, reason):
    with pytest.raises(VocabularyError, match=reason):
        Vocabulary(characters)


def test_no_texts_make_no_vocabulary():
    with pytest.raises(VocabularyError, match="at least one character"):
        Vocabulary.from_texts([""])
