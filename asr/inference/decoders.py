"""The decoder for a bundle: its own, or another one for a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from asr.bundle import Bundle
from asr.decoding import BeamDecoder, BeamOptions, Decoder, FusionWeights, GreedyDecoder, WordFusion
from asr.decoding.grammar import lexicon as words_of
from asr.decoding.grammar import phrases
from asr.decoding.hotwords import hotwords as raised
from asr.decoding.scorer import Scorer
from asr.errors import ConfigError
from asr.lm.model import NgramModel


def make_decoder(
    bundle: Bundle,
    *,
    beam_width: int | None = None,
    language_model: str | Path | None = "bundle",
    weights: FusionWeights | None = None,
    hotwords: Mapping[str, float] | None = None,
    grammar: Sequence[str] | None = None,
    lexicon: Sequence[str] | None = None,
    n_best: int = 1,
) -> Decoder:
    """Decode the best path where nothing needs a search, else search.

    Args:
        bundle: whose labels are read.
        beam_width: prefixes kept, 1 for the best path; None for a search where anything needs one, as wide as the
            bundle was tuned.
        language_model: ``bundle`` for its own, if it has one; a file; None for none.
        weights: of the language model; the bundle's when None.
        hotwords: phrase → natural logarithm to add wherever it occurs.
        grammar: the only phrases that can be said; this and ``lexicon`` leave out the bundle's language model.
        lexicon: the only words that can be said.
        n_best: readings to keep.

    Raises:
        ConfigError: what is asked for does not go together.
        LanguageModelError: the file is none.
        VocabularyError: a hotword or a phrase has a character that the bundle cannot write.
    """
    if grammar is not None and lexicon is not None:
        raise ConfigError("a grammar lists whole phrases and a lexicon single words; give one of them")
    limits: list[Scorer]
    if grammar is not None:
        limits, own_model = [phrases(grammar, bundle.vocabulary)], None
    elif lexicon is not None:
        limits, own_model = [words_of(lexicon, bundle.vocabulary)], None
    else:
        limits, own_model = [], bundle.language_model
    asked: list[Scorer] = [*limits, *([raised(hotwords, bundle.vocabulary)] if hotwords else [])]
    if beam_width == 1:
        if asked or n_best > 1 or language_model not in ("bundle", None):
            raise ConfigError("a beam of 1 is the best path alone: no hotwords, grammar, language model or n-best")
        return GreedyDecoder(bundle.vocabulary)
    path = own_model if language_model == "bundle" else language_model
    model: list[Scorer] = [_fused(path, bundle, weights)] if path is not None else []
    if beam_width is None and not (asked or model or n_best > 1):
        return GreedyDecoder(bundle.vocabulary)
    options = BeamOptions(beam_width or bundle.decoder.beam_width)
    return BeamDecoder(bundle.vocabulary, [*asked, *model], options, n_best=n_best)


def _fused(path: str | Path, bundle: Bundle, weights: FusionWeights | None) -> Scorer:
    return WordFusion(NgramModel.open(path), bundle.vocabulary, weights or bundle.decoder.weights)
