"""Perplexity: how well a language model predicts a text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from asr.errors import LanguageModelError
from asr.lm.model import NgramModel

_TOGETHER = 1024


@dataclass(frozen=True)
class Perplexity:
    """Sums over a text: natural log-probabilities of all tokens (``log_prob``) and of unknown words alone."""

    sentences: int
    words: int
    unknown: int
    log_prob: float
    unknown_log_prob: float

    @property
    def including_unknown(self) -> float:
        """Perplexity of all words and of </s> after each sentence; <unk> counts as a word (kenlm: including OOVs)."""
        return float(np.exp(-self.log_prob / (self.words + self.sentences)))

    @property
    def excluding_unknown(self) -> float:
        """Perplexity of the known words and </s> (kenlm: excluding OOVs; SRILM: ppl)."""
        known = self.words + self.sentences - self.unknown
        return float(np.exp(-(self.log_prob - self.unknown_log_prob) / known))

    @property
    def unknown_rate(self) -> float:
        """The fraction of words that are not in the vocabulary (OOV rate)."""
        return self.unknown / self.words


def perplexity(model: NgramModel, texts: Iterable[str]) -> Perplexity:
    """Score ``texts``, each with one sentence a line; empty lines are skipped.

    Raises:
        LanguageModelError: the texts have no words.
    """
    sums = np.zeros(5)
    waiting: list[list[str]] = []
    for text in texts:
        waiting += filter(None, map(str.split, text.split("\n")))
        while len(waiting) >= _TOGETHER:
            sums += _score(model, waiting[:_TOGETHER])
            del waiting[:_TOGETHER]
    if waiting:
        sums += _score(model, waiting)
    if not sums[0]:
        raise LanguageModelError("the text has no words; perplexity needs at least one")
    sentences, words, unknown = (int(value) for value in sums[:3])
    return Perplexity(sentences, words, unknown, float(sums[3]), float(sums[4]))


def _score(model: NgramModel, sentences: list[list[str]]) -> np.ndarray:
    """Score sentences side by side; return the five sums of ``Perplexity``, in its order."""
    lengths = np.fromiter(map(len, sentences), np.int64, len(sentences))
    ids = model.word_ids([word for sentence in sentences for word in sentence])
    first = np.cumsum(lengths) - lengths
    states = np.full(len(sentences), model.start)
    total, of_unknown = 0.0, 0.0
    alive = np.arange(len(sentences))
    for place in range(int(lengths.max())):
        alive = alive[lengths[alive] > place]
        words = ids[first[alive] + place]
        log_probs, states[alive] = model.score(states[alive], words)
        total += float(log_probs.sum(dtype=np.float64))
        of_unknown += float(log_probs[words == 0].sum(dtype=np.float64))
    total += float(model.score_end(states).sum(dtype=np.float64))
    return np.array([len(sentences), len(ids), np.count_nonzero(ids == 0), total, of_unknown])
