"""The decoder for a bundle: its own, or another one for a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from asr.bundle import Bundle
from asr.decoding import BeamDecoder, BeamOptions, Decoder, FusionWeights, GreedyDecoder, WordFusion
from asr.decoding.grammar import lexicon, phrases
from asr.decoding.hotwords import hotwords
from asr.decoding.scorer import Scorer
from asr.errors import ConfigError
from asr.lm import NgramModel

OWN = "own"
"""The language model of the bundle, where it has one."""


@dataclass(frozen=True)
class Decoding:
    """How to decode, where it is not as the bundle was tuned.

    Attributes:
        beam_width: prefixes kept, 1 for the best path; None for a search where anything needs one, as wide as tuned.
        language_model: ``own`` is the bundle's, if it has one; or a file; None for none.
        weights: of the language model; as tuned when None.
        hotwords: phrase → natural logarithm to add wherever it occurs.
        grammar: the only phrases that can be said. This and ``lexicon`` leave out the bundle's language model.
        lexicon: the only words that can be said.
        n_best: readings to keep.
    """

    beam_width: int | None = None
    language_model: str | Path | None = OWN
    weights: FusionWeights | None = None
    hotwords: Mapping[str, float] = field(default_factory=dict)
    grammar: Sequence[str] = ()
    lexicon: Sequence[str] = ()
    n_best: int = 1

    def __post_init__(self) -> None:
        """Refuse what does not go together."""
        if self.grammar and self.lexicon:
            raise ConfigError("a grammar lists whole phrases and a lexicon single words; give one of them")
        if self.beam_width == 1 and self._needs_search:
            raise ConfigError("a beam of 1 is the best path alone: no hotwords, grammar, language model or n-best")

    @property
    def _needs_search(self) -> bool:
        named_model = self.language_model not in (OWN, None)
        return bool(self.hotwords or self.grammar or self.lexicon or named_model or self.n_best > 1)

    def decoder(self, bundle: Bundle) -> Decoder:
        """The best path's where nothing needs a search, else one that searches.

        Raises:
            LanguageModelError: the file is none.
            VocabularyError: a hotword or phrase has a character that the bundle cannot write.
        """
        scorers = [] if self.beam_width == 1 else [*self._lists(bundle), *self._model(bundle)]
        if self.beam_width == 1 or not (scorers or self.beam_width or self.n_best > 1):
            return GreedyDecoder(bundle.vocabulary)
        options = BeamOptions(self.beam_width or bundle.decoder.beam_width)
        return BeamDecoder(bundle.vocabulary, scorers, options, n_best=self.n_best)

    def _lists(self, bundle: Bundle) -> list[Scorer]:
        lists: list[Scorer] = []
        if self.grammar:
            lists.append(phrases(self.grammar, bundle.vocabulary))
        if self.lexicon:
            lists.append(lexicon(self.lexicon, bundle.vocabulary))
        if self.hotwords:
            lists.append(hotwords(self.hotwords, bundle.vocabulary))
        return lists

    def _model(self, bundle: Bundle) -> list[Scorer]:
        own = None if self.grammar or self.lexicon else bundle.language_model
        path = own if self.language_model == OWN else self.language_model
        if path is None:
            return []
        return [WordFusion(NgramModel.open(path), bundle.vocabulary, self.weights or bundle.decoder.weights)]
