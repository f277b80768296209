"""A cache of a language model's latest scores, because a beam asks for the same scores frame after frame."""

from __future__ import annotations

import threading

import numpy as np

from asr.lm import NgramModel

_BITS = 14
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(64 - _BITS)
_NOBODY = -1


class ScoreCache:
    """A cache of `NgramModel.score`.

    Each pair of a state and a word has one place in a table. Of the pairs that share a place, the latest stays.
    """

    def __init__(self, model: NgramModel) -> None:
        """Start with an empty table; ``model`` computes every score that is not in the table."""
        self._model = model
        self._questions = np.full(1 << _BITS, _NOBODY, np.int64)
        self._log_probs = np.zeros(1 << _BITS)
        self._after = np.zeros(1 << _BITS, np.int64)
        self._writing = threading.Lock()  # several threads may share one decoder

    def score(self, states: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the scores of words (n,) int32 after states (n,) int64, as `NgramModel.score`.

        Returns:
            The log-probabilities (n,), natural logarithms, and the states (n,) after the words.
        """
        questions = states << 32 | words
        places = (questions.view(np.uint64) * _MULTIPLIER >> _SHIFT).view(np.int64)
        with self._writing:
            asked = (self._questions.take(places) != questions).nonzero()[0]
            log_probs, after = self._log_probs.take(places), self._after.take(places)
            if len(asked):
                log_probs[asked], after[asked] = self._model.score(states.take(asked), words.take(asked))
                places = places.take(asked)
                self._questions[places] = _NOBODY  # until the scores are stored: Ctrl-C may interrupt here
                self._log_probs[places], self._after[places] = log_probs.take(asked), after.take(asked)
                self._questions[places] = questions.take(asked)
        return log_probs, after
