"""Shallow fusion with a language model of words (Hannun et al. 2014, equation 7)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.decoding.score_cache import ScoreCache
from asr.errors import ConfigError
from asr.lm.model import NgramModel
from asr.text import Vocabulary

_ROOT = NgramModel.ROOT


@dataclass(frozen=True)
class FusionWeights:
    """How much the language model counts against the network.

    Attributes:
        alpha: weight of the language model's log-probability of a word.
        beta: added for each word, against the language model's liking of few words.
        unknown_score: added for each letter of a word from where it leaves the model's vocabulary on; without a price
            for each, words would run into one another as a long unknown one.
        prior_scale: how much of the labels' priors is divided out of the network's probabilities, which count them
            once more beside a language model (Miao et al. 2015, EESEN); 0 to 1.
    """

    alpha: float = 0.5
    beta: float = 1.0
    unknown_score: float = -5.0
    prior_scale: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no search over weights would give."""
        for name, value in vars(self).items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
                raise ConfigError(f"{name} must be a number, got {value!r}")
        if self.alpha < 0:
            raise ConfigError(f"alpha must be at least 0, got {self.alpha}")
        if not 0 <= self.prior_scale <= 1:
            raise ConfigError(f"prior_scale must be 0 to 1, got {self.prior_scale}")


class WordFusion:
    """Scores each word of a prefix: ``alpha * log p(word | words before) + beta``.

    A known word is scored when the space after it comes, an unknown one as <unk> already at the letter where it leaves
    the vocabulary, so that the beam compares prefixes by what they cost.

    A state is (the language model's state after the last word scored, the node of its vocabulary that the letters since
    have reached, -1 within an unknown word).
    """

    width = 2
    constrains = False

    def __init__(self, model: NgramModel, vocabulary: Vocabulary, weights: FusionWeights) -> None:
        """Fuse ``model`` into a search over the labels of ``vocabulary``."""
        self._model, self._scores = model, ScoreCache(model)
        self._weights = weights
        self._characters = np.array([0, *map(ord, vocabulary.characters)])
        self._space = -1 if vocabulary.space is None else vocabulary.space

    @property
    def max_score(self) -> float:
        """What a word would be given if the model were sure of it, and an unknown letter."""
        return max(self._weights.beta, 0.0) + max(self._weights.unknown_score, 0.0)

    def start(self) -> np.ndarray:
        """State (2,) at the start of a sentence."""
        return np.array([self._model.start, _ROOT])

    def allows(self, states: np.ndarray) -> np.ndarray | None:
        """As `Scorer.allows`; words may be unknown, so that any letter may follow."""
        return None

    def extend(self, states: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `Scorer.extend`."""
        context, node = states[:, 0], states[:, 1]
        after = np.empty_like(states)
        after[:, 0] = context
        after[:, 1] = self._model.spell(node, self._characters.take(labels))
        scores = np.where(after[:, 1] < 0, self._weights.unknown_score, 0.0)
        leave = ((after[:, 1] < 0) & (node >= 0)).nonzero()[0]
        if len(leave):
            added, after[leave, 0] = self._score(context.take(leave), np.zeros(len(leave), np.int32))
            scores[leave] += added
        ends = (labels == self._space).nonzero()[0]
        if len(ends):
            scores[ends], after[ends, 0] = self._end_word(context.take(ends), node.take(ends))
            after[ends, 1] = _ROOT
        return scores, after

    def finish(self, states: np.ndarray) -> np.ndarray:
        """The last word, and the end of the sentence."""
        scores, context = self._end_word(states[:, 0], states[:, 1])
        return scores + self._weights.alpha * self._model.score_end(context)

    def _end_word(self, context: np.ndarray, node: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scores (n,) of words whose letters end at ``node``, unless scored before, and the model's states after."""
        word = self._model.word_at(node)
        scores, after = self._score(context, np.maximum(word, 0))
        scores[word < 0] += self._weights.unknown_score
        done = node <= _ROOT
        return np.where(done, 0.0, scores), np.where(done, context, after)

    def _score(self, context: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        log_probs, after = self._scores.score(context, words)
        return self._weights.alpha * log_probs + self._weights.beta, after
