"""Shallow fusion with a language model of words in a search over phones."""

from __future__ import annotations

import numpy as np

from asr.decoding.fusion import FusionWeights
from asr.decoding.hotwords import MOST_AHEAD
from asr.decoding.score_cache import ScoreCache
from asr.decoding.word_hotwords import WordHotwords
from asr.lm import NgramModel, Pronunciations
from asr.lm.spelling import ROOT

_AHEAD = 0.5
"""The share of a word's unigram score that is given before the word ends.

The whole score would mislead, because a unigram does not depend on the words before.
"""

_HALF_WORD = -50.0
"""The score, in natural logarithms, of a last word that is not complete.

A hypothesis that ends in a word cut off by the end of the recording wins only where there is no other.
"""


class PhoneFusion:
    """A scorer that gives each word, where it ends, ``alpha * log p(word | words before) + beta``.

    It allows no words but those of the language model.

    Phones are scored by language model look-ahead: each prefix has the score of the likeliest word that its phones
    may become (Ortmanns et al. 1996). Where the word ends, the look-ahead score is taken back. In this way a narrow
    beam keeps the prefixes that are worth keeping.

    A state consists of the language model's state after the last word and the node in the trie of pronunciations that
    the phones since then have reached. If there are hotwords, their state is the third part.
    """

    constrains = False

    def __init__(
        self,
        model: NgramModel,
        pronunciations: Pronunciations,
        weights: FusionWeights,
        raised: WordHotwords | None = None,
    ) -> None:
        """Fuse ``model`` into a search over the labels of ``pronunciations``, and the hotwords ``raised`` if given."""
        self._raised, self.width = raised, 2 if raised is None else 3
        self._model, self._scores, self._weights = model, ScoreCache(model), weights
        self._trie, self._words = pronunciations.trie, pronunciations.words
        unigrams, _ = model.score(np.zeros(len(self._words), np.int64), self._words)
        likely = weights.alpha * unigrams
        if raised is not None:
            added, _ = raised.extend(np.zeros(len(self._words), np.int64), self._words)
            likely += added.clip(-MOST_AHEAD, MOST_AHEAD)
        self._ahead = _AHEAD * (self._trie.best_below(likely) + weights.beta)
        surely = weights.beta + float(self._ahead[ROOT] - self._ahead[:-1].min())
        surely += 0.0 if raised is None else raised.max_score
        self._num_labels = pronunciations.num_labels
        self._following = self._trie.following(self._num_labels)
        labels = np.arange(self._num_labels)
        self.max_score = np.where(pronunciations.ends_word(labels), max(surely, 0.0), 0.0)

    def start(self) -> np.ndarray:
        """Return the state (width,) at the start of a sentence."""
        return np.array([self._model.start, ROOT, 0][: self.width])

    def allows(self, states: np.ndarray) -> np.ndarray | None:
        """Return which labels may follow, as `Scorer.allows`: those with which the pronunciation of a word goes on."""
        following = self._following.take(states[:, 1], axis=0)
        return np.unpackbits(following, axis=1, count=self._num_labels).view(bool)

    def extend(self, states: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Score one more label of each prefix, as `Scorer.extend`."""
        after = states.copy()
        after[:, 1] = self._trie.spell(states[:, 1], labels)
        before = self._ahead.take(states[:, 1])
        scores = self._ahead.take(after[:, 1], mode="wrap") - before
        scores[after[:, 1] < 0] = -np.inf
        said = self._trie.word_at(after[:, 1])
        ends = (said >= 0).nonzero()[0]
        if len(ends):
            words = self._words.take(said.take(ends))
            log_probs, after[ends, 0] = self._scores.score(states[ends, 0], words)
            scores[ends] = self._weights.alpha * log_probs + self._weights.beta + self._ahead[ROOT] - before.take(ends)
            after[ends, 1] = ROOT
            if self._raised is not None:
                added, after[ends, 2] = self._raised.extend(states[ends, 2], words)
                scores[ends] += added
        return scores, after

    def finish(self, states: np.ndarray) -> np.ndarray:
        """Score the end of the sentence, as `Scorer.finish`; a last word that is not complete costs extra."""
        ends = self._weights.alpha * self._model.score_end(states[:, 0])
        if self._raised is not None:
            ends = ends + self._raised.finish(states[:, 2])
        return ends + np.where(states[:, 1] == ROOT, 0.0, _HALF_WORD + self._ahead[ROOT] - self._ahead[states[:, 1]])
