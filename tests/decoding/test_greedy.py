"""Best path decoding against the definition written as a loop, and against every path there is."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from asr.decoding import Hypothesis, greedy_decode
from asr.errors import VocabularyError
from asr.text import Vocabulary

ABC = Vocabulary(("A", "B", "C"))


def log_probs_of(path: list[int], size: int = 4) -> np.ndarray:
    """Log-probabilities whose best path is ``path``, 0.7 a frame."""
    rows = np.full((len(path), size), 0.3 / (size - 1))
    rows[np.arange(len(path)), path] = 0.7
    return np.log(rows)


def random_log_probs(seed: int, frames: int, size: int = 4) -> np.ndarray:
    logits = np.random.default_rng(seed).normal(size=(frames, size))
    return (logits - np.log(np.exp(logits).sum(1, keepdims=True))).astype(np.float32)


def by_loop(log_probs: np.ndarray) -> tuple[list[int], list[int], float]:
    labels, frames, score, last = [], [], 0.0, 0
    for t, row in enumerate(log_probs):
        best = max(range(len(row)), key=lambda label: row[label])
        score += float(row[best])
        if best not in (0, last):
            labels.append(best)
            frames.append(t)
        last = best
    return labels, frames, score


def test_repeats_collapse() -> None:
    assert greedy_decode(log_probs_of([1, 1, 2, 2]), ABC).text == "AB"


def test_a_blank_between_them_keeps_both() -> None:
    assert greedy_decode(log_probs_of([1, 0, 1]), ABC).text == "AA"


def test_frames_are_the_first_of_each_run() -> None:
    hypothesis = greedy_decode(log_probs_of([0, 1, 1, 0, 1, 3, 3, 0]), ABC)
    assert hypothesis.labels == (1, 1, 3) and hypothesis.frames == (1, 4, 5)
    assert hypothesis.score == pytest.approx(8 * math.log(0.7))


def test_only_blanks_and_no_frames_are_the_empty_text() -> None:
    assert greedy_decode(log_probs_of([0, 0, 0]), ABC).text == ""
    assert greedy_decode(np.empty((0, 4), np.float32), ABC) == Hypothesis("", (), (), 0.0)


@pytest.mark.parametrize("seed", range(50))
def test_as_the_loop_does(seed: int) -> None:
    log_probs = random_log_probs(seed, frames=seed)
    hypothesis = greedy_decode(log_probs, ABC)
    labels, frames, score = by_loop(log_probs)
    assert (list(hypothesis.labels), list(hypothesis.frames)) == (labels, frames)
    assert hypothesis.score == pytest.approx(score, abs=1e-4)
    assert hypothesis.text == "".join(" ABC"[label] for label in labels)


@pytest.mark.parametrize("seed", range(10))
def test_its_path_is_the_best_of_all_paths(seed: int) -> None:
    log_probs = random_log_probs(seed, frames=5)
    scores = [sum(log_probs[t, s] for t, s in enumerate(p)) for p in itertools.product(range(4), repeat=5)]
    assert greedy_decode(log_probs, ABC).score == pytest.approx(max(scores), abs=1e-5)


def test_a_hypothesis_holds_plain_numbers() -> None:
    hypothesis = greedy_decode(random_log_probs(0, 20), ABC)
    assert {type(x) for x in (*hypothesis.labels, *hypothesis.frames)} == {int}
    assert type(hypothesis.score) is float


def test_another_vocabulary_is_refused() -> None:
    with pytest.raises(VocabularyError, match=r"must be \(T, 4\), got \(3, 5\)"):
        greedy_decode(np.zeros((3, 5)), ABC)
