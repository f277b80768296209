"""What is remembered of a language model is what it says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from asr.decoding import score_cache
from asr.decoding.score_cache import ScoreCache
from asr.lm import NgramModel, train_ngram


@pytest.fixture(scope="module")
def model() -> NgramModel:
    draw = np.random.default_rng(0)
    return train_ngram([" ".join(row) for row in draw.choice(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), (3000, 6))], 3)


def questions(model: NgramModel, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A thousand, many of them alike, from states that some words have led to."""
    draw = np.random.default_rng(seed)
    states = np.full(60, model.start)
    for _ in range(2):
        states = model.score(states, draw.integers(0, 27, 60, np.int32))[1]
    return states[draw.integers(0, 60, 1000)], draw.integers(0, 28, 1000, np.int32)


@pytest.mark.parametrize("bits", [1, 5, 14])
def test_answers_are_the_models_asked_once_or_often(bits: int, model: NgramModel, monkeypatch) -> None:
    """Also where questions take each other's place."""
    monkeypatch.setattr(score_cache, "_BITS", bits)
    monkeypatch.setattr(score_cache, "_SHIFT", np.uint64(64 - bits))
    scores = ScoreCache(model)
    for seed in (0, 1, 0, 2, 0):
        asked = questions(model, seed)
        for found, wanted in zip(scores.score(*asked), model.score(*asked), strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_what_was_asked_before_is_not_asked_again(model: NgramModel, monkeypatch) -> None:
    few = [array[:20] for array in questions(model, 0)]
    asked: list[int] = []
    plain = model.score
    monkeypatch.setattr(model, "score", lambda states, words: asked.append(len(words)) or plain(states, words))
    scores = ScoreCache(model)
    scores.score(*few)
    scores.score(*few)
    assert asked == [20]


def test_threads_get_answers_to_their_own_questions(model: NgramModel, monkeypatch) -> None:
    monkeypatch.setattr(score_cache, "_BITS", 3)  # so that they take each other's places all the time
    monkeypatch.setattr(score_cache, "_SHIFT", np.uint64(61))
    scores = ScoreCache(model)
    with ThreadPoolExecutor(4) as pool:
        for seed, found in enumerate(pool.map(lambda seed: scores.score(*questions(model, seed)), range(40))):
            for ours, theirs in zip(found, model.score(*questions(model, seed)), strict=True):
                np.testing.assert_array_equal(ours, theirs)
