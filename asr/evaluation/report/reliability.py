"""Reliability of confidence: are nine in ten of the words with confidence 0.9 correct?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from asr.decoding.calibration import expected_calibration_error
from asr.evaluation.correct_words import correct_words
from asr.evaluation.evaluation import ScoredUtterance
from asr.evaluation.hypotheses import HypothesisWord
from asr.text import normalise

BINS = 10


@dataclass(frozen=True)
class Bin:
    """Words with confidence from ``low`` to ``high``: their number, how many are right, their mean confidence."""

    low: float
    high: float
    words: int
    right: int
    confidence: float


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram (DeGroot and Fienberg 1983) and its expected calibration error.

    ``left_out`` is the number of utterances whose words cannot be matched to the normalised text.
    """

    bins: tuple[Bin, ...]
    error: float
    words: int
    left_out: int


def reliability(
    utterances: Sequence[ScoredUtterance], words: Mapping[str, Sequence[HypothesisWord]], normaliser: str
) -> Reliability | None:
    """Compare confidence with the fraction of correct words in ``BINS`` bins of equal width; None without words."""
    spread = [(u, confidences(u, words[u.id], normaliser)) for u in utterances if u.id in words]
    kept = [(u, found) for u, found in spread if found is not None]
    values = np.array([value for _, found in kept for value in found])
    if not len(values):
        return None
    right = np.concatenate([correct_words(u.reference, u.hypothesis) for u, _ in kept])
    place = np.minimum((values * BINS).astype(int), BINS - 1)
    bins = tuple(_bin(i, values[place == i], right[place == i]) for i in range(BINS))
    error = expected_calibration_error(values, right, BINS)
    return Reliability(bins, error, len(values), len(spread) - len(kept))


def _bin(index: int, values: np.ndarray, right: np.ndarray) -> Bin:
    mean = float(values.mean()) if len(values) else (index + 0.5) / BINS
    return Bin(index / BINS, (index + 1) / BINS, len(values), int(right.sum()), mean)


def confidences(utterance: ScoredUtterance, words: Sequence[HypothesisWord], normaliser: str) -> list[float] | None:
    """Return the confidence of each word of the normalised hypothesis.

    If the normaliser splits a word, each part has the word's confidence.

    Returns:
        None if words and text differ, for instance because the normaliser joins words.
    """
    parts = [(part, word.confidence) for word in words for part in normalise(word.text, normaliser).split()]
    if [part for part, _ in parts] != utterance.hypothesis.split():
        return None
    return [confidence for _, confidence in parts]
