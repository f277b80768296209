"""Reads the words of a language model by their phones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from asr.decoding.alignment import forced_alignment
from asr.decoding.fusion import FusionWeights
from asr.decoding.hypotheses import hypotheses_of
from asr.decoding.hypothesis import Hypothesis
from asr.decoding.phone_fusion import PhoneFusion
from asr.decoding.prefix_beam_search import BeamOptions, PrefixBeamSearch, Reading
from asr.decoding.text_hash import WordTexts
from asr.decoding.word_hotwords import WordHotwords
from asr.lm import NgramModel, Pronunciations
from asr.text import BLANK, Vocabulary, frames_needed
from asr.text.lexicon import BOUNDARY

_VARIANTS = 8
"""Label sequences looked at for the first hypothesis: some differ in how a word is said alone."""


class PhoneDecoder:
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
        raised: WordHotwords | None = None,
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
        fusion = PhoneFusion(model, pronunciations, weights, raised)
        self._search = PrefixBeamSearch(pronunciations.num_labels, [fusion], options)
        self._hasher = WordTexts(pronunciations)
        self._n_best, self._discount = n_best, discount

    def decode(self, log_probs: Sequence[np.ndarray]) -> list[list[Hypothesis]]:
        """As `Decoder.decode`, of log-probabilities (T', V + P); frames are those of the best path through characters.

        A hypothesis' score is the logarithm of the sum over its paths, less the discount, and what the model gave; a
        little less where paths were pruned.
        """
        characters = [one[:, : len(self._vocabulary)] for one in log_probs]
        searched = [self._searched(one) for one in log_probs]
        return hypotheses_of(
            self._search, searched, characters, self, self._hasher, variants=_VARIANTS, n_best=self._n_best
        )

    def first(self, found: Sequence[Reading], log_probs: np.ndarray) -> Hypothesis | None:
        """As `Spelling.first`: the variants of one text differ in how its words are said."""
        scores: dict[str, float] = {}
        for text, (_, score) in zip(self._texts([labels for labels, _ in found]), found, strict=True):
            scores[text] = float(np.logaddexp(scores.get(text, -np.inf), score))
        best = sorted(scores, key=lambda text: -scores[text])
        return next(filter(None, (self._hypothesis(text, scores[text], log_probs) for text in best)), None)

    def other(self, labels: tuple[int, ...], score: float, log_probs: np.ndarray) -> Hypothesis | None:
        """As `Spelling.other`."""
        return self._hypothesis(self._texts([labels])[0], score, log_probs)

    def _searched(self, log_probs: np.ndarray) -> np.ndarray:
        """(T' + 1, labels): phones, their ends of words told apart, and a last frame where any word may end."""
        phones = log_probs[:, len(self._vocabulary) :]
        frames = np.full((len(phones) + 1, self._pronunciations.num_labels), -np.inf, np.float32)
        frames[:-1, : phones.shape[1]] = phones if self._discount is None else phones - self._discount
        frames[-1, [BLANK, BOUNDARY]] = 0.0
        frames[:, phones.shape[1] :] = frames[:, [BOUNDARY]]
        return frames

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
