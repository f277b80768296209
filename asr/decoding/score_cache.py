"""A language model with its latest answers at hand: a beam asks the same for frames on end."""

from __future__ import annotations

import threading

import numpy as np

from asr.lm import NgramModel

_BITS = 14
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(64 - _BITS)
_NOBODY = -1


class ScoreCache:
    """`NgramModel.score`, and a table of what it answered; each question has one place there, and the last stays."""

    def __init__(self, model: NgramModel) -> None:
        """Ask ``model`` where nothing is remembered."""
        self._model = model
        self._questions = np.full(1 << _BITS, _NOBODY, np.int64)
        self._log_probs = np.zeros(1 << _BITS)
        self._after = np.zeros(1 << _BITS, np.int64)
        self._writing = threading.Lock()  # one decoder may serve several threads

    def score(self, states: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `NgramModel.score`: states (n,) int64, words (n,) int32 → natural logarithms, states after (n,)."""
        questions = states << 32 | words
        places = (questions.view(np.uint64) * _MULTIPLIER >> _SHIFT).view(np.int64)
        with self._writing:
            asked = (self._questions.take(places) != questions).nonzero()[0]
            log_probs, after = self._log_probs.take(places), self._after.take(places)
            if len(asked):
                log_probs[asked], after[asked] = self._model.score(states.take(asked), words.take(asked))
                places = places.take(asked)
                self._questions[places] = _NOBODY  # until the answers are there: Ctrl-C may come between
                self._log_probs[places], self._after[places] = log_probs.take(asked), after.take(asked)
                self._questions[places] = questions.take(asked)
        return log_probs, after
