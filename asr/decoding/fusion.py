"""Shallow fusion with a word language model (Hannun et al. 2014, equation 7)."""

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
    """The weights of the language model relative to the network.

    Attributes:
        alpha: the weight of the language model's log-probability of a word.
        beta: a bonus added for each word, which offsets the language model's preference for few words.
        unknown_score: added for each letter of an unknown word, from the letter at which the word leaves the model's
            vocabulary; without this penalty for each letter, words would run together into one long unknown word.
        prior_scale: how much of the labels' priors is divided out of the network's probabilities, 0 to 1; beside a
            language model, the priors would otherwise count twice (Miao et al. 2015, EESEN).
    """

    alpha: float = 0.5
    beta: float = 1.0
    unknown_score: float = -5.0
    prior_scale: float = 0.0

    def __post_init__(self) -> None:
        """Refuse weights that are not finite numbers, a negative ``alpha`` and a ``prior_scale`` outside 0 to 1."""
        for name, value in vars(self).items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
                raise ConfigError(f"{name} must be a number, got {value!r}")
        if self.alpha < 0:
            raise ConfigError(f"alpha must be at least 0, got {self.alpha}")
        if not 0 <= self.prior_scale <= 1:
            raise ConfigError(f"prior_scale must be 0 to 1, got {self.prior_scale}")


class WordFusion:
    """A scorer that gives each word of a prefix the score ``alpha * log p(word | words before) + beta``.

    A known word is scored at the space after it. An unknown word is scored as <unk> already at the letter where it
    leaves the vocabulary, so that the beam does not compare its prefix with others before its cost is counted.

    A state is a pair of integers: the language model's state after the last scored word; and the node in the trie of
    its vocabulary that the letters since then have reached, which is -1 within an unknown word.
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
        """The most that a label adds: the score of a word that the model is sure of, plus that of an unknown letter."""
        return max(self._weights.beta, 0.0) + max(self._weights.unknown_score, 0.0)

    def start(self) -> np.ndarray:
        """Return the state (2,) at the start of a sentence."""
        return np.array([self._model.start, _ROOT])

    def allows(self, states: np.ndarray) -> np.ndarray | None:
        """Return None, as `Scorer.allows` does where any label may follow, since words may be unknown."""
        return None

    def extend(self, states: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return scores (n,) of a label (n,) in each state (n, 2), and the next states (n, 2), as `Scorer.extend`."""
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
        """Score the last word and the end of the sentence (n,), as `Scorer.finish`."""
        scores, context = self._end_word(states[:, 0], states[:, 1])
        return scores + self._weights.alpha * self._model.score_end(context)

    def _end_word(self, context: np.ndarray, node: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the scores (n,) of words that end at ``node``, 0 if scored before, and the model's next states."""
        word = self._model.word_at(node)
        scores, after = self._score(context, np.maximum(word, 0))
        scores[word < 0] += self._weights.unknown_score
        done = node <= _ROOT
        return np.where(done, 0.0, scores), np.where(done, context, after)

    def _score(self, context: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        log_probs, after = self._scores.score(context, words)
        return self._weights.alpha * log_probs + self._weights.beta, after


def word_log_probs(model: NgramModel, words: np.ndarray) -> tuple[float, ...]:
    """Return the natural log-probability of each word (W,) int32, an id, after the words before it."""
    state, found = np.array([model.start]), []
    for word in words[:, np.newaxis]:
        log_probs, state = model.score(state, word)
        found.append(float(log_probs[0]))
    return tuple(found)
