"""What a normaliser loses, and what it does not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import ConfigError
from asr.text import normalise
from asr.text.losses import find_losses, kind_of, lost_characters


@pytest.mark.parametrize(
    ("text", "normaliser", "lost"),
    [
        ("room 101", "upper_letters", "101"),
        ("room 101", "letters", "101"),
        ("room 101", "letters_and_digits", ""),
        ("room 101", "verbatim", ""),
        ("room 101", "whisper", ""),
        ("Привет", "upper_letters", "Привет"),
        ("Привет", "letters", ""),
        ("café Łódź ﬁne", "upper_letters", ""),
        ("5 % & 3 € + 2°", "letters", "5%&3€+2°"),
        ("5 % und 3 €", "whisper", ""),
        ("„it’s“ — (well-known), ‘yes’… ʼtis `a´", "upper_letters", ""),
        ("شـــكرا بعيداً", "arabic", ""),
        ("नमस्ते 你好、人々", "letters", ""),
    ],
)
def test_letters_digits_and_symbols_are_lost_and_punctuation_is_not(text, normaliser, lost):
    assert "".join(lost_characters(text, normaliser)) == lost


@pytest.mark.parametrize(
    ("character", "kind"),
    [
        ("٣", "digits"),
        ("²", "digits"),
        ("%", "symbols"),
        ("♪", "symbols"),
        ("ж", "Cyrillic letters"),
        ("é", "Latin letters"),
    ],
)
def test_what_is_lost_has_a_kind(character, kind):
    assert kind_of(character) == kind


def test_losses_are_counted_by_kind_with_ids_the_most_first():
    digits, cyrillic = find_losses([("a", "1 and 22"), ("b", "да"), ("c", "fine"), ("d", "2")], "upper_letters")
    assert (digits.kind, digits.count, digits.characters, digits.ids) == ("digits", 4, "21", ("a", "d"))
    assert (cyrillic.kind, cyrillic.count, cyrillic.ids) == ("Cyrillic letters", 2, ("b",))
    assert str(digits) == "digits: 4 (2 1) in 2 texts: a, d"


def test_of_many_some_are_named():
    (loss,) = find_losses([(f"u{i}", str(i)) for i in range(10)], "letters")
    assert str(loss) == "digits: 10 (0 1 2 …) in 10 texts: u0, u1, u2, …"


@given(st.text(st.characters(categories=["L", "N", "Sc", "Sm", "So"], exclude_characters="ʼʻ`´＇\u0640")))
def test_a_text_without_losses_keeps_every_letter_and_digit(text):
    composed = unicodedata.normalize("NFC", text)
    if composed and not lost_characters(text, "letters"):
        assert all(normalise(c, "letters") for c in composed)


def test_an_unknown_normaliser_is_refused():
    with pytest.raises(ConfigError, match="'lower'"):
        lost_characters("a", "lower")
