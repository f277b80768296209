"""Shallow fusion with a language model of words in a search over phones."""

from __future__ import annotations

import numpy as np

from asr.decoding.fusion import FusionWeights, ask_once
from asr.lm import NgramModel, Pronunciations
from asr.lm.spelling import ROOT


class SpokenFusion:
    """Scores each word of a prefix once it ends, ``alpha * log p(word | words before) + beta``, and allows no others.

    A state is (the language model's state after the last word, the node of the pronunciations that the phones since
    have reached).
    """

    width = 2
    constrains = False

    def __init__(self, model: NgramModel, pronunciations: Pronunciations, weights: FusionWeights) -> None:
        """Fuse ``model`` into a search over the labels of ``pronunciations``."""
        self._model, self._weights = model, weights
        self._trie, self._words = pronunciations.trie, pronunciations.words

    @property
    def most_added(self) -> float:
        """What a word would be given if the model were sure of it."""
        return max(self._weights.beta, 0.0)

    def start(self) -> np.ndarray:
        """State (2,) at the start of a sentence."""
        return np.array([self._model.start, ROOT])

    def extend(self, states: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `Scorer.extend`."""
        after = states.copy()
        after[:, 1] = self._trie.spell(states[:, 1], labels)
        scores = np.where(after[:, 1] < 0, -np.inf, 0.0)
        said = self._trie.word_at(after[:, 1])
        ends = (said >= 0).nonzero()[0]
        if len(ends):
            words = self._words.take(said.take(ends))
            log_probs, after[ends, 0] = ask_once(self._model, states[ends, 0], words)
            scores[ends] = self._weights.alpha * log_probs + self._weights.beta
            after[ends, 1] = ROOT
        return scores, after

    def finish(self, states: np.ndarray) -> np.ndarray:
        """The end of the sentence, which is no place within a word."""
        ends = self._weights.alpha * self._model.score_end(states[:, 0])
        return np.where(states[:, 1] == ROOT, ends, -np.inf)
