"""Each file of the folder is a normaliser, found by its name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import asr.text.normalisers as normalisers
from asr.errors import ConfigError
from asr.text import NORMALISERS, find_normaliser, normalise, normalise_lines


def test_names_are_those_of_the_files():
    files = {path.stem for path in Path(normalisers.__file__).parent.glob("*.py")}
    assert set(NORMALISERS) == {name for name in files if not name.startswith("_")}
    assert {normalisers.FOR_TRAINING, normalisers.FOR_SCORING, "upper_letters", "whisper"} <= set(NORMALISERS)


@pytest.mark.parametrize("name", NORMALISERS)
def test_each_says_in_a_line_what_it_writes(name):
    module = normalisers._module(name)
    first = (module.__doc__ or "").splitlines()[0]
    assert first.endswith(".")


@pytest.mark.parametrize("name", ["lower", "", "_english", "os.path", "../letters"])
def test_an_unknown_name_is_answered_with_the_known_ones(name):
    with pytest.raises(ConfigError, match="no text normaliser .*; there are .*letters, .*verbatim, whisper"):
        find_normaliser(name)


@pytest.mark.parametrize("name", NORMALISERS)
def test_each_leaves_single_spaces(name):
    assert normalise(" a \t b ", name).lower() == "a b"


@pytest.mark.parametrize("name", NORMALISERS)
def test_lines_are_normalised_by_themselves(name):
    text = "It's  one.\n\nTwo — lines!"
    found = [" ".join(line.split()) for line in normalise_lines(text, name).split("\n")]
    assert found == [normalise(line, name) for line in text.split("\n")]


@given(st.text())
def test_verbatim_only_joins_spaces(text):
    assert normalise(text, "verbatim").split() == text.split()
    assert normalise(normalise(text, "verbatim"), "verbatim") == normalise(text, "verbatim")


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
