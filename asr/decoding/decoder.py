"""Decoders, which turn the log-probabilities of a stretch of speech into hypotheses, best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from asr.arrays import LabelLogProbs, LogProbs
from asr.decoding.alignment import forced_alignment
from asr.decoding.beam import BeamOptions
from asr.decoding.fusion import word_log_probs
from asr.decoding.greedy import greedy_decode
from asr.decoding.hypotheses import hypotheses_of
from asr.decoding.hypothesis import Hypothesis
from asr.decoding.prefix_beam_search import PrefixBeamSearch, ScoredLabels
from asr.decoding.scorer import Scorer
from asr.decoding.text_hash import CharacterTexts
from asr.errors import AlignmentError
from asr.lm import NgramModel
from asr.text import Vocabulary

_VARIANTS = 4
"""The number of label sequences considered for the first hypothesis, since several may spell the same words."""


class Decoder(Protocol):
    """A decoder of the network's output."""

    def decode(self, log_probs: Sequence[LogProbs]) -> list[list[Hypothesis]]:
        """Return the likeliest hypotheses of each stretch, best first; an empty list where there is none."""
        ...


class GreedyDecoder:
    """A best path decoder, which returns one hypothesis."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Decode with the labels of ``vocabulary``."""
        self._vocabulary = vocabulary

    def decode(self, log_probs: Sequence[LogProbs]) -> list[list[Hypothesis]]:
        """Return one hypothesis of each stretch, as `Decoder.decode`."""
        return [[greedy_decode(one.characters, self._vocabulary)] for one in log_probs]


class BeamDecoder:
    """A prefix beam search decoder with scorers of prefixes, such as a language model, hotwords or a grammar."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        scorers: Sequence[Scorer] = (),
        options: BeamOptions | None = None,
        *,
        n_best: int = 1,
        discount: np.ndarray | None = None,
        own_model: NgramModel | None = None,
    ) -> None:
        """Decode with the labels of ``vocabulary`` into at most ``n_best`` hypotheses.

        Args:
            vocabulary: the labels.
            scorers: the scorers of prefixes.
            options: how wide the search is.
            n_best: the number of hypotheses to return.
            discount: (V,) subtracted from each frame's log-probabilities before the search, as `asr.decoding.priors`
                computes it.
            own_model: the bundle's language model, if it is among the scorers; each hypothesis then says how probable
                its words are by it.
        """
        self._vocabulary, self._own_model = vocabulary, own_model
        self._search = PrefixBeamSearch(len(vocabulary), scorers, options)
        self._hasher = CharacterTexts(vocabulary)
        self._n_best = n_best
        self._discount = discount

    def decode(self, log_probs: Sequence[LogProbs]) -> list[list[Hypothesis]]:
        """Return the likeliest hypotheses of each stretch, as `Decoder.decode`.

        The frames of a hypothesis are those of the most probable path that spells its labels.

        The score of a hypothesis is the logarithm of the sum of the probabilities of its paths, after the discount is
        subtracted, plus the scores of the scorers. It is a little lower where paths were pruned.
        """
        characters = [one.characters for one in log_probs]
        searched = characters if self._discount is None else [one - self._discount for one in characters]
        return hypotheses_of(
            self._search, searched, characters, self, self._hasher, variants=_VARIANTS, n_best=self._n_best
        )

    def first(self, found: Sequence[ScoredLabels], log_probs: LabelLogProbs) -> Hypothesis | None:
        """Return the likeliest text, as `Spelling.first`.

        Label sequences count as one text if they differ only in leading, trailing or doubled spaces.
        """
        if not found:
            return None
        labels, score = _told_apart(found, self._vocabulary)[0]
        hypothesis = self._hypothesis(labels, score, log_probs)
        if self._own_model is None:
            return hypothesis
        words = self._own_model.word_ids(hypothesis.text.split())
        return replace(hypothesis, word_log_probs=word_log_probs(self._own_model, words))

    def other(self, labels: tuple[int, ...], score: float, log_probs: LabelLogProbs) -> Hypothesis | None:
        """Return the hypothesis of one label sequence, as `Spelling.other`."""
        try:
            return self._hypothesis(labels, score, log_probs)
        except AlignmentError:
            return None

    def _hypothesis(self, labels: tuple[int, ...], score: float, log_probs: LabelLogProbs) -> Hypothesis:
        frames = forced_alignment(log_probs, labels).first if labels else np.empty(0, int)
        return Hypothesis(self._vocabulary.decode(labels), labels, tuple(frames.tolist()), score)


def _told_apart(found: Sequence[ScoredLabels], vocabulary: Vocabulary) -> list[ScoredLabels]:
    """Merge label sequences that differ only in outer or doubled spaces, sum their probabilities, and sort them."""
    merged: dict[str, ScoredLabels] = {}
    for labels, score in found:
        words = " ".join(vocabulary.decode(labels).split())
        likeliest, total = merged.get(words, (labels, -np.inf))
        merged[words] = likeliest, float(np.logaddexp(total, score))
    return sorted(merged.values(), key=lambda one: -one[1])


def probabilities(hypotheses: Sequence[Hypothesis]) -> list[float]:
    """Return each hypothesis's share of the total probability of ``hypotheses``, computed from their scores.

    >>> from dataclasses import replace
    >>> empty = Hypothesis("", (), (), 0.0)
    >>> [round(p, 2) for p in probabilities([replace(empty, score=-1.0), replace(empty, score=-2.0)])]
    [0.73, 0.27]
    """
    scores = np.array([h.score for h in hypotheses])
    return np.exp(scores - np.logaddexp.reduce(scores)).tolist() if len(scores) else []
