"""From the log-probabilities of a stretch of speech to its readings, best first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from asr.decoding.alignment import forced_alignment
from asr.decoding.greedy import greedy_decode
from asr.decoding.hypotheses import hypotheses_of
from asr.decoding.hypothesis import Hypothesis
from asr.decoding.prefix_beam_search import BeamOptions, PrefixBeamSearch, Reading
from asr.decoding.scorer import Scorer
from asr.decoding.text_hash import CharacterTexts
from asr.errors import AlignmentError
from asr.text import Vocabulary

_VARIANTS = 4
"""Label sequences looked at for the first hypothesis, since some are the same words."""


class Decoder(Protocol):
    """Reads log-probabilities, natural logarithms: V columns of characters, blank at 0, and perhaps P of phones."""

    def decode(self, log_probs: Sequence[np.ndarray]) -> list[list[Hypothesis]]:
        """The likeliest readings of each (T', V + P), best first; none where nothing can be read."""
        ...


class GreedyDecoder:
    """Best path decoding; one reading."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Read with the labels of ``vocabulary``."""
        self._vocabulary = vocabulary

    def decode(self, log_probs: Sequence[np.ndarray]) -> list[list[Hypothesis]]:
        """As `Decoder.decode`."""
        return [[greedy_decode(one[:, : len(self._vocabulary)], self._vocabulary)] for one in log_probs]


class BeamDecoder:
    """Prefix beam search with what scores prefixes: a language model, hotwords, a grammar."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        scorers: Sequence[Scorer] = (),
        options: BeamOptions | None = None,
        *,
        n_best: int = 1,
        discount: np.ndarray | None = None,
    ) -> None:
        """Read with the labels of ``vocabulary``, at most ``n_best`` readings.

        Args:
            vocabulary: of the labels.
            scorers: of prefixes.
            options: how wide to search.
            n_best: readings to keep.
            discount: (V,) taken from each frame's log-probabilities before the search, as of `asr.decoding.priors`.
        """
        self._vocabulary = vocabulary
        self._search = PrefixBeamSearch(len(vocabulary), scorers, options)
        self._hasher = CharacterTexts(vocabulary)
        self._n_best = n_best
        self._discount = discount

    def decode(self, log_probs: Sequence[np.ndarray]) -> list[list[Hypothesis]]:
        """As `Decoder.decode`; frames are those of the best path that spells the reading.

        A hypothesis' score is the logarithm of the sum over its paths, less the discount, and what the scorers gave; a
        little less where paths were pruned.
        """
        characters = [one[:, : len(self._vocabulary)] for one in log_probs]
        searched = characters if self._discount is None else [one - self._discount for one in characters]
        return hypotheses_of(
            self._search, searched, characters, self, self._hasher, variants=_VARIANTS, n_best=self._n_best
        )

    def first(self, found: Sequence[Reading], log_probs: np.ndarray) -> Hypothesis | None:
        """As `Spelling.first`: the variants of one text differ in spaces before, after or doubled."""
        if not found:
            return None
        labels, score = _told_apart(found, self._vocabulary)[0]
        return self._hypothesis(labels, score, log_probs)

    def other(self, labels: tuple[int, ...], score: float, log_probs: np.ndarray) -> Hypothesis | None:
        """As `Spelling.other`."""
        try:
            return self._hypothesis(labels, score, log_probs)
        except AlignmentError:
            return None

    def _hypothesis(self, labels: tuple[int, ...], score: float, log_probs: np.ndarray) -> Hypothesis:
        frames = forced_alignment(log_probs, labels).first if labels else np.empty(0, int)
        return Hypothesis(self._vocabulary.decode(labels), labels, tuple(frames.tolist()), score)


def _told_apart(readings: Sequence[Reading], vocabulary: Vocabulary) -> list[Reading]:
    """Readings of the same words as one, its score their sum; they differ in spaces before, after or doubled."""
    found: dict[str, Reading] = {}
    for labels, score in readings:
        words = " ".join(vocabulary.decode(labels).split())
        likeliest, total = found.get(words, (labels, -np.inf))
        found[words] = likeliest, float(np.logaddexp(total, score))
    return sorted(found.values(), key=lambda reading: -reading[1])


def probabilities(hypotheses: Sequence[Hypothesis]) -> list[float]:
    """Each reading's share of the probability of all ``hypotheses``, by their scores.

    >>>     >>> empty = Hypothesis("", (), (), 0.0)
    >>> [round(p, 2) for p in probabilities([replace(empty, score=-1.0), replace(empty, score=-2.0)])]
    [0.73, 0.27]
    """
    scores = np.array([h.score for h in hypotheses])
    return np.exp(scores - np.logaddexp.reduce(scores)).tolist() if len(scores) else []
