"""Each normaliser by example, and what holds for any text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import ConfigError
from asr.text import NORMALISERS, normalise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, world!", "HELLO WORLD"),
        ("  two\t\nlines ", "TWO LINES"),
        ("it’s ‘fine` ʼtis", "IT'S 'FINE' 'TIS"),
        ("well-known — yes", "WELL KNOWN YES"),
        ("café Ångström", "CAFE ANGSTROM"),
        ("straße Cæsar œuvre Łódź Øre", "STRASSE CAESAR OEUVRE LODZ ORE"),
        ("ﬁne", "FINE"),
        ("''quoted'' rock 'n' roll", "QUOTED ROCK 'N' ROLL"),
        ("a ' b", "A B"),
        ("room 101", "ROOM"),
        ("", ""),
        ("…?!", ""),
        ("日本", ""),
    ],
)
def test_upper_letters(text, expected):
    assert normalise(text, "upper_letters") == expected


@given(st.text())
def test_upper_letters_gives_nothing_but_words_of_letters_and_apostrophes(text):
    assert re.fullmatch(r"([A-Z']+( [A-Z']+)*)?", normalise(text, "upper_letters"))


@given(st.text())
def test_verbatim_only_joins_spaces(text):
    assert normalise(text, "verbatim").split() == text.split()


@pytest.mark.parametrize("name", ["upper_letters", "verbatim"])
@given(text=st.text())
def test_once_is_enough(name, text):
    once = normalise(text, name)
    assert normalise(once, name) == once


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mr. Brown's COLOUR", "mister brown is color"),
        ("I'm twenty-one", "i am 21"),
        ("uh, [noise] yes (laughs)", "yes"),
        ("", ""),
    ],
)
def test_whisper(text, expected):
    assert normalise(text, "whisper") == expected


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ConfigError, match="'lower'; there are upper_letters, verbatim, whisper"):
        normalise("a", "lower")


@pytest.mark.parametrize("name", NORMALISERS)
def test_each_leaves_single_spaces(name):
    assert normalise(" a \t b ", name).lower() == "a b"
