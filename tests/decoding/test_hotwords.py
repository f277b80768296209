"""Hotwords against counting the phrases in a text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.decoding.grammar import word_sequences
from asr.decoding.hotwords import hotwords
from asr.errors import ConfigError, VocabularyError
from asr.text import Vocabulary

VOCABULARY = Vocabulary((" ", "A", "B"))
words = st.text("AB", min_size=1, max_size=3)
phrases = st.lists(words, min_size=1, max_size=3).map(" ".join)


def score(boost, text: str) -> float:
    states, total = boost.start()[np.newaxis], 0.0
    for label in VOCABULARY.encode(text):
        added, states = boost.extend(states, np.array([label]))
        total += float(added[0])
    return total + float(boost.finish(states)[0])


def occurrences(phrase: str, text: str) -> int:
    """How often the words of ``phrase`` follow each other in ``text``."""
    wanted, said = phrase.split(), text.split()
    return sum(said[i : i + len(wanted)] == wanted for i in range(len(said)))


@given(weights=st.dictionaries(phrases, st.floats(-5, 5), min_size=1, max_size=5), text=st.lists(words, max_size=8))
def test_each_whole_occurrence_counts_once(weights: dict[str, float], text: list[str]) -> None:
    said = " ".join(text)
    wanted = sum(weight * occurrences(phrase, said) for phrase, weight in weights.items())
    assert score(hotwords(weights, VOCABULARY), said) == pytest.approx(wanted, abs=1e-9)


def test_a_phrase_that_has_begun_is_ahead_already() -> None:
    """Else the beam would drop it before its last letter."""
    boost = hotwords({"AAB": 6.0}, VOCABULARY)
    states, added = boost.start()[np.newaxis], []
    for label in VOCABULARY.encode("AAA"):
        weight, states = boost.extend(states, np.array([label]))
        added.append(float(weight[0]))
    assert added == pytest.approx([2.0, 2.0, -4.0])


def test_a_great_weight_comes_when_the_phrase_is_complete() -> None:
    """Else a beginning that never goes on would drive all else out of the beam."""
    boost = hotwords({"AB": 100.0}, VOCABULARY)
    states, added = boost.start()[np.newaxis], []
    for label in VOCABULARY.encode("AB "):
        weight, states = boost.extend(states, np.array([label]))
        added.append(float(weight[0]))
    assert added == pytest.approx([3.0, 3.0, 94.0])


@pytest.mark.parametrize("weights", [{}, {" ": 1.0}])
def test_no_words_are_no_hotwords(weights: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="hotwords are words"):
        hotwords(weights, VOCABULARY)


def test_a_character_that_cannot_be_written_is_named() -> None:
    with pytest.raises(VocabularyError, match="'C'"):
        hotwords({"ABC": 1.0}, VOCABULARY)


def test_a_phrase_of_thousands_of_words_takes_as_many_steps_as_letters() -> None:
    """Each word could begin the phrase anew, and a state for each beginning would be looked through: 36 s once."""
    short, long = " ".join(["AB"] * 100), " ".join(["AB"] * 5000)
    assert score(hotwords({short: 4.0}, VOCABULARY), short) == pytest.approx(4.0)
    boost = hotwords({long: 4.0}, VOCABULARY)
    assert len(boost.final) == len(long) + 2
    assert score(boost, f"AB {long}") == pytest.approx(8.0)


def test_phrases_that_would_fill_the_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asr.decoding.acceptor._MOST_ENTRIES", 40)
    hotwords({"A" * 8: 1.0}, VOCABULARY)
    for make in (lambda text: hotwords({text: 1.0}, VOCABULARY), lambda text: word_sequences([text], VOCABULARY)):
        with pytest.raises(ConfigError, match="letters in all; with 4 labels 10 are the most"):
            make("A" * 12)
