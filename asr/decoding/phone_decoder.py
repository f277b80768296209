"""A decoder that recognises the words of a language model by their phones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from asr.arrays import LabelLogProbs, LogProbs
from asr.decoding.alignment import forced_alignment
from asr.decoding.beam import BeamOptions
from asr.decoding.fusion import FusionWeights, word_log_probs
from asr.decoding.hypotheses import hypotheses_of
from asr.decoding.hypothesis import Hypothesis
from asr.decoding.phone_fusion import PhoneFusion
from asr.decoding.prefix_beam_search import PrefixBeamSearch, ScoredLabels
from asr.decoding.text_hash import WordTexts
from asr.decoding.word_hotwords import WordHotwords
from asr.errors import VocabularyError
from asr.lm import NgramModel, Pronunciations
from asr.text import BLANK, Vocabulary, frames_needed
from asr.text.lexicon import BOUNDARY

_VARIANTS = 8
"""Label sequences considered for the first hypothesis; some of them differ only in how a word is pronounced."""


class PhoneDecoder:
    """A prefix beam search over phones, in which a language model scores the words and their order.

    The search uses the network's phones. Its characters tell at which frames a word's letters are.
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
        """Prepare to decode each recording to at most ``n_best`` hypotheses.

        Args:
            vocabulary: the characters, V labels.
            model: the language model of words.
            pronunciations: the pronunciations of the model's words, in the network's P phone labels.
            weights: how much the language model counts against the network.
            options: how wide to search.
            n_best: the number of hypotheses to keep.
            discount: (P,) subtracted from each frame's log-probabilities of phones, as computed by
                `asr.decoding.priors`.
            raised: the hotwords.
        """
        self._vocabulary, self._model, self._pronunciations = vocabulary, model, pronunciations
        fusion = PhoneFusion(model, pronunciations, weights, raised)
        self._search = PrefixBeamSearch(pronunciations.num_labels, [fusion], options)
        self._hasher = WordTexts(pronunciations)
        self._n_best, self._discount = n_best, discount

    def decode(self, log_probs: Sequence[LogProbs]) -> list[list[Hypothesis]]:
        """Return the likeliest hypotheses of each stretch, as `Decoder.decode`.

        The frames of a hypothesis are those of the best path through the characters. Its score is the natural
        logarithm of the sum over its paths, less the discount, plus what the language model gave. The score is a
        little lower where paths were pruned.

        Raises:
            VocabularyError: the network outputs no phones.
        """
        characters = [one.characters for one in log_probs]
        searched = [self._searched(one.phones) for one in log_probs]
        return hypotheses_of(
            self._search, searched, characters, self, self._hasher, variants=_VARIANTS, n_best=self._n_best
        )

    def first(self, found: Sequence[ScoredLabels], log_probs: LabelLogProbs) -> Hypothesis | None:
        """Return the likeliest text, as `Spelling.first`; the variants of one text differ in its pronunciations."""
        scores: dict[str, float] = {}
        said: dict[str, tuple[int, ...]] = {}
        for text, (labels, score) in zip(self._texts([labels for labels, _ in found]), found, strict=True):
            scores[text] = float(np.logaddexp(scores.get(text, -np.inf), score))
            said.setdefault(text, labels)
        for text in sorted(scores, key=lambda text: -scores[text]):
            if (hypothesis := self._hypothesis(text, scores[text], log_probs)) is not None:
                return self._with_evidence(hypothesis, said[text])
        return None

    def other(self, labels: tuple[int, ...], score: float, log_probs: LabelLogProbs) -> Hypothesis | None:
        """Return the text of one label sequence, as `Spelling.other`."""
        return self._hypothesis(self._texts([labels])[0], score, log_probs)

    def _with_evidence(self, hypothesis: Hypothesis, labels: Sequence[int]) -> Hypothesis:
        """Return the hypothesis with its likeliest pronunciation, and the language model's score of each word."""
        phones = np.array(labels, np.int64)
        phones[self._pronunciations.ends_word(phones)] = BOUNDARY
        scores = word_log_probs(self._model, self._pronunciations.read([labels])[0])
        return replace(hypothesis, phones=tuple(phones.tolist()), word_log_probs=scores)

    def _searched(self, phones: LabelLogProbs | None) -> LabelLogProbs:
        """Return the log-probabilities (T' + 1, labels) to search.

        They are those of the phones, less the discount, with a copy of the boundary's column for each extra label that
        ends a homophone, and with a last frame in which any word may end.
        """
        if phones is None:
            raise VocabularyError("a search over phones needs a network that outputs phones")
        frames = np.full((len(phones) + 1, self._pronunciations.num_labels), -np.inf, np.float32)
        frames[:-1, : phones.shape[1]] = phones if self._discount is None else phones - self._discount
        frames[-1, [BLANK, BOUNDARY]] = 0.0
        frames[:, phones.shape[1] :] = frames[:, [BOUNDARY]]
        return frames

    def _texts(self, spelled: Sequence[Sequence[int]]) -> list[str]:
        names = self._model.words
        return [" ".join(names[word - 1] for word in words.tolist()) for words in self._pronunciations.read(spelled)]

    def _hypothesis(self, text: str, score: float, characters: LabelLogProbs) -> Hypothesis | None:
        """Return the hypothesis with the frames of its letters.

        Return None if there are too few frames, or if the network lacks one of the letters.
        """
        if self._vocabulary.unknown(text):
            return None
        labels = self._vocabulary.encode(text)
        if frames_needed(labels) > len(characters):
            return None
        frames = forced_alignment(characters, labels).first if len(labels) else np.empty(0, int)
        return Hypothesis(text, tuple(labels.tolist()), tuple(frames.tolist()), score)
