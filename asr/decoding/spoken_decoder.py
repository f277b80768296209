"""Reads the words of a language model by their phones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from asr.decoding.alignment import forced_alignment, frames_needed
from asr.decoding.fusion import FusionWeights
from asr.decoding.hypothesis import Hypothesis
from asr.decoding.prefix_beam_search import BeamOptions, PrefixBeamSearch
from asr.decoding.raised_words import RaisedWords
from asr.decoding.spoken_fusion import SpokenFusion
from asr.lm import NgramModel, Pronunciations
from asr.text import BLANK, Vocabulary
from asr.text.lexicon import BOUNDARY

_SPARE = 8
"""Readings looked at for each that is wanted: some differ in how a word is said alone."""


class SpokenDecoder:
    """Prefix beam search over phones, the words and their order judged by a language model.

    It reads the columns of phones; where a word's letters are is told by those of characters.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        model: NgramModel,
        pronunciations: Pronunciations,
        weights: FusionWeights,
        options: BeamOptions | None = None,
        *,
        n_best: int = 1,
        discount: np.ndarray | None = None,
        raised: RaisedWords | None = None,
    ) -> None:
        """Read at most ``n_best`` readings.

        Args:
            vocabulary: of the characters, V labels.
            model: of the words.
            pronunciations: of its words, by the network's P labels of phones.
            weights: of the model against the network.
            options: how wide to search.
            n_best: readings to keep.
            discount: (P,) taken from each frame's log-probabilities of phones, as of `asr.decoding.priors`.
            raised: hotwords.
        """
        self._vocabulary, self._model, self._pronunciations = vocabulary, model, pronunciations
        fusion = SpokenFusion(model, pronunciations, weights, raised)
        options = options or BeamOptions()
        options = replace(options, merge=options.merge and n_best == 1)
        self._search = PrefixBeamSearch(pronunciations.num_labels, [fusion], options)
        self._n_best, self._discount = n_best, discount

    def decode(self, log_probs: Sequence[np.ndarray]) -> list[list[Hypothesis]]:
        """As `Decoder.decode`, of log-probabilities (T', V + P); frames are those of the best path through characters.

        A hypothesis' score is the logarithm of the sum over its paths, less the discount, and what the model gave; a
        little less where paths were pruned.
        """
        read = self._search.read([self._searched(one) for one in log_probs], _SPARE * self._n_best)
        texts = iter(self._texts([labels for readings in read for labels, _ in readings]))
        scored = [[(next(texts), score) for _, score in readings] for readings in read]
        return [self._hypotheses(some, one) for some, one in zip(scored, log_probs, strict=True)]

    def _searched(self, log_probs: np.ndarray) -> np.ndarray:
        """(T' + 1, labels): phones, their ends of words told apart, and a last frame where any word may end."""
        phones = log_probs[:, len(self._vocabulary) :]
        frames = np.full((len(phones) + 1, self._pronunciations.num_labels), -np.inf, np.float32)
        frames[:-1, : phones.shape[1]] = phones if self._discount is None else phones - self._discount
        frames[-1, [BLANK, BOUNDARY]] = 0.0
        frames[:, phones.shape[1] :] = frames[:, [BOUNDARY]]
        return frames

    def _hypotheses(self, texts: Sequence[tuple[str, float]], log_probs: np.ndarray) -> list[Hypothesis]:
        characters = log_probs[:, : len(self._vocabulary)]
        found: dict[str, float] = {}
        for text, score in texts:
            found[text] = float(np.logaddexp(found.get(text, -np.inf), score))
        best = sorted(found, key=lambda text: -found[text])
        made = (self._hypothesis(text, found[text], characters) for text in best)
        return list(islice(filter(None, made), self._n_best))

    def _texts(self, spelled: Sequence[Sequence[int]]) -> list[str]:
        names = self._model.words
        return [" ".join(names[word - 1] for word in words.tolist()) for words in self._pronunciations.read(spelled)]

    def _hypothesis(self, text: str, score: float, characters: np.ndarray) -> Hypothesis | None:
        """The reading with its letters' frames; None where these are too few, or the network has no such letter."""
        if self._vocabulary.unknown(text):
            return None
        labels = self._vocabulary.encode(text)
        if frames_needed(labels) > len(characters):
            return None
        frames = forced_alignment(characters, labels).first if len(labels) else np.empty(0, int)
        return Hypothesis(text, tuple(labels.tolist()), tuple(frames.tolist()), score)
