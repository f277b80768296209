"""The decoder for a bundle: its own, or another one for a task."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from asr.bundle import Bundle
from asr.decoding import (
    BeamDecoder,
    BeamOptions,
    Decoder,
    FusionWeights,
    GreedyDecoder,
    PhoneDecoder,
    PhoneSettings,
    WordFusion,
)
from asr.decoding.grammar import phrases, word_sequences
from asr.decoding.hotwords import hotwords
from asr.decoding.priors import discount
from asr.decoding.scorer import Scorer
from asr.decoding.word_hotwords import WordHotwords
from asr.errors import BundleCorruptError, ConfigError, LanguageModelError, VocabularyError
from asr.lm import NgramModel, Pronunciations
from asr.text import normalise
from asr.text.losses import lost_characters

OWN = "own"
"""The language model of the bundle, where it has one."""

_SOME = 1000
"""Words of a language model that are looked at, to tell whether it is written as a bundle writes."""


@dataclass(frozen=True)
class Decoding:
    """How to decode, where it is not as the bundle was tuned.

    Phrases and words are written as the bundle's normaliser writes texts, so they may be given in any case.

    A bundle whose network gives phones, and that has the pronunciations of its language model's words, is decoded by
    phones: its transcripts have these words alone. With another language model, or with a hotword that is not among
    these words, it is decoded by characters, which spell any word.

    Attributes:
        beam_width: prefixes kept, 1 for the best path; None for a search where anything needs one, as wide as tuned.
        language_model: ``own`` is the bundle's, if it has one; or a file; None for none.
        alpha: weight of the language model; as tuned when None.
        beta: what each word adds beside it; as tuned when None.
        hotwords: phrase → natural logarithm to add wherever it occurs.
        grammar: the only phrases that can be said. This and ``words`` leave out the bundle's language model.
        words: the only words that can be said, in any order.
        n_best: how many hypotheses to keep.
    """

    beam_width: int | None = None
    language_model: str | Path | None = OWN
    alpha: float | None = None
    beta: float | None = None
    hotwords: Mapping[str, float] = field(default_factory=dict)
    grammar: Sequence[str] = ()
    words: Sequence[str] = ()
    n_best: int = 1

    def __post_init__(self) -> None:
        """Refuse options that do not go together."""
        if not all(phrase.split() and np.isfinite(weight) for phrase, weight in self.hotwords.items()):
            raise ConfigError(f"hotwords are words or phrases, each with a number for its weight, got {self.hotwords}")
        if self.grammar and self.words:
            raise ConfigError("a grammar lists whole phrases and a list of words single ones; give one of them")
        if several := next((word for word in self.words if len(word.split()) != 1), None):
            raise ConfigError(
                f"{several!r} in the list of words is not one word; a grammar lists phrases, and a pronouncing "
                "dictionary is for asr lm tune --lexicon"
            )
        named_model = self.language_model not in (OWN, None)
        if self.beam_width == 1 and (self.hotwords or self.grammar or self.words or named_model or self.n_best > 1):
            raise ConfigError("a beam of 1 is the best path alone: no hotwords, grammar, language model or n-best")

    def decoder(self, bundle: Bundle) -> Decoder:
        """Return a decoder of the best path where nothing needs a search, else a beam search.

        Raises:
            ConfigError: alpha or beta came without a language model.
            LanguageModelError: the file is no language model, or one of words that the bundle cannot write.
            VocabularyError: a hotword, phrase or word has a character that the bundle cannot write, or none it can.
        """
        path = self._model_path(bundle)
        if path is None and (self.alpha is not None or self.beta is not None):
            raise ConfigError(f"alpha and beta weigh a language model, and {bundle.path} has none; name one")
        if self.beam_width == 1:
            return GreedyDecoder(bundle.vocabulary)
        model = None if path is None else NgramModel.open(path)
        if model and path is not None and self.language_model != OWN:
            refuse_other_writing(path, model, bundle)
        if model and self.language_model == OWN and bundle.pronunciations:
            if (last := int(bundle.pronunciations.words.max())) >= len(model):
                raise BundleCorruptError(
                    f"{bundle.path}: a pronunciation of word {last}, and its language model has {len(model)} words; "
                    "tune the bundle again"
                )
            raised = self._hotwords_by_words(bundle, model)
            if np.isin([word for phrase in raised for word in phrase], bundle.pronunciations.words).all():
                return self._spoken(bundle, model, bundle.pronunciations, raised)
        scorers = self._scorers(bundle, model)
        if not (scorers or self.beam_width or self.n_best > 1):
            return GreedyDecoder(bundle.vocabulary)
        options = BeamOptions(self.beam_width or bundle.decoder.beam_width)
        tuned = bundle.decoder
        less = None if path is None else discount(tuned.priors, tuned.weights.prior_scale)
        own = model if self.language_model == OWN else None
        return BeamDecoder(bundle.vocabulary, scorers, options, n_best=self.n_best, discount=less, own_model=own)

    def _hotwords_by_words(self, bundle: Bundle, model: NgramModel) -> dict[tuple[int, ...], float]:
        """Ids of each hotword's words → its weight."""
        spell = partial(_written, bundle=bundle)
        return {tuple(model.word_ids(spell(phrase).split()).tolist()): w for phrase, w in self.hotwords.items()}

    def _spoken(
        self,
        bundle: Bundle,
        model: NgramModel,
        pronunciations: Pronunciations,
        raised: Mapping[tuple[int, ...], float],
    ) -> Decoder:
        tuned = bundle.decoder.phones or PhoneSettings()
        return PhoneDecoder(
            bundle.vocabulary,
            model,
            pronunciations,
            self._weights(tuned.weights),
            BeamOptions(self.beam_width or bundle.decoder.beam_width),
            n_best=self.n_best,
            discount=discount(tuned.priors, tuned.weights.prior_scale),
            raised=WordHotwords(raised, len(model)) if raised else None,
        )

    def _model_path(self, bundle: Bundle) -> str | Path | None:
        if self.language_model != OWN:
            return self.language_model
        return None if self.grammar or self.words else bundle.language_model

    def _scorers(self, bundle: Bundle, model: NgramModel | None) -> list[Scorer]:
        vocabulary, spell = bundle.vocabulary, partial(_written, bundle=bundle)
        weights = self._weights(bundle.decoder.weights)
        scorers: list[Scorer] = []
        if self.grammar:
            scorers.append(phrases(map(spell, self.grammar), vocabulary))
        if self.words:
            scorers.append(word_sequences(map(spell, self.words), vocabulary))
        if self.hotwords:
            raised = {spell(phrase): weight for phrase, weight in self.hotwords.items()}
            scorers.append(hotwords(_as_known(raised, model, weights), vocabulary))
        if model:
            scorers.append(WordFusion(model, vocabulary, weights))
        return scorers

    def _weights(self, tuned: FusionWeights) -> FusionWeights:
        given = {"alpha": self.alpha, "beta": self.beta}
        return replace(tuned, **{name: value for name, value in given.items() if value is not None})


def _as_known(raised: Mapping[str, float], model: NgramModel | None, weights: FusionWeights) -> dict[str, float]:
    """Hotwords' weights, with what their words lose where the language model lacks them."""
    if model is None:
        return dict(raised)
    unknown = {phrase: int((model.word_ids(phrase.split()) == 0).sum()) for phrase in raised}
    return {phrase: weight - weights.unknown_score * unknown[phrase] for phrase, weight in raised.items()}


def refuse_other_writing(path: str | Path, model: NgramModel, bundle: Bundle) -> None:
    """Refuse a language model most of whose words the bundle's normaliser writes otherwise, as in small letters.

    Raises:
        LanguageModelError: with one of these words, and how to make a model that fits.
    """
    words = list(model.words)
    some = words[:: 1 + len(words) // _SOME]
    strange = [word for word in some if normalise(word, bundle.normaliser) != word]
    if 2 * len(strange) > len(some):
        raise LanguageModelError(
            f"{path}: {len(strange)} of {len(some)} words, such as {strange[-1]}, are not written as {bundle.path} "
            f"writes them ({bundle.normaliser}); make it of texts written so: asr lm train --for {bundle.path}"
        )


def _written(phrase: str, bundle: Bundle) -> str:
    """Return a phrase as the bundle's normaliser writes it, whole.

    Of what the normaliser writes and the bundle has no label for, apostrophes and marks on letters are left out, since
    they are not spoken.

    Raises:
        VocabularyError: letters, digits or symbols of it would be lost, or nothing is left.
    """
    if lost := lost_characters(phrase, bundle.normaliser):
        raise VocabularyError(
            f"{phrase!r} has {''.join(lost)!r}, which {bundle.normaliser} loses; write it as it is spoken"
        )
    if not (text := normalise(phrase, bundle.normaliser)):
        raise VocabularyError(f"{phrase!r} has no letter that {bundle.normaliser} writes")
    unknown = bundle.vocabulary.unknown(text)
    text = " ".join("".join(_bare(c) if c in unknown else c for c in text).split())
    if unknown := bundle.vocabulary.unknown(text):
        known = "".join(bundle.vocabulary.characters)
        raise VocabularyError(f"{phrase!r} has {''.join(sorted(unknown))!r}, and {bundle.path} writes {known!r} alone")
    return text


def _bare(character: str) -> str:
    """Return a character without the marks on it; nothing for an apostrophe."""
    bare = "".join(c for c in unicodedata.normalize("NFD", character) if not unicodedata.combining(c))
    return "" if bare == "'" else bare
