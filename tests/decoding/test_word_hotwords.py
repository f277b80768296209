"""Weights of words that follow each other, against counting them."""

from __future__ import annotations

import numpy as np
import pytest

from asr.decoding.word_hotwords import WordHotwords
from asr.errors import ConfigError

NUM_WORDS = 60
PHRASES = {(3,): 2.0, (3, 4): 5.0, (4, 3): -1.5, (7, 7): 4.0, (7, 7, 8): 9.0, (59,): -30.0}
MANY = {(word,): float(word) for word in range(10, 50)}
"""More than one digit can number."""


def total(raised: WordHotwords, words: list[int]) -> tuple[float, float]:
    """What a sentence adds, and the most that one of its words did."""
    states, sum_, most = np.zeros(1, np.int64), 0.0, -np.inf
    for word in words:
        added, states = raised.extend(states, np.array([word]))
        sum_, most = sum_ + float(added[0]), max(most, float(added[0]))
    return sum_ + float(raised.finish(states)[0]), most


def counted(phrases: dict[tuple[int, ...], float], words: list[int]) -> float:
    """By looking at every place."""
    return sum(
        weight * (tuple(words[at : at + len(phrase)]) == phrase)
        for phrase, weight in phrases.items()
        for at in range(len(words))
    )


@pytest.mark.parametrize("phrases", [PHRASES, MANY, PHRASES | MANY])
def test_a_sentence_gets_the_weight_of_each_phrase_wherever_it_stands(phrases: dict[tuple[int, ...], float]) -> None:
    raised, draw = WordHotwords(phrases, NUM_WORDS), np.random.default_rng(0)
    for words in draw.choice([0, 3, 4, 7, 8, 9, 10, 25, 49, 59], (200, 8)).tolist():
        sum_, most = total(raised, words)
        assert sum_ == pytest.approx(counted(phrases, words), abs=1e-9)
        assert most <= raised.max_score + 1e-9


def test_states_side_by_side() -> None:
    raised = WordHotwords(PHRASES, NUM_WORDS)
    states = np.zeros(3, np.int64)
    for words in ([3, 7, 0], [4, 7, 4], [0, 8, 3]):
        added, states = raised.extend(states, np.array(words))
    assert added.shape == states.shape == raised.finish(states).shape == (3,)


@pytest.mark.parametrize("phrases", [{}, {(): 1.0}])
def test_no_words_are_no_phrase(phrases: dict[tuple[int, ...], float]) -> None:
    with pytest.raises(ConfigError, match="hotwords are words"):
        WordHotwords(phrases, NUM_WORDS)
