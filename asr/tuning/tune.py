"""Give a bundle a language model, the decoding weights that suit it best, and models of confidence."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from asr.bundle import Bundle, load_bundle, write_decoder
from asr.card import ConfidenceFigures, DecoderFigures, DevFigures, LeftOut, NgramFigures, ScoredTest
from asr.data import Utterance
from asr.decoding import BeamOptions, Decoder, DecoderSettings, GreedyDecoder, PhoneSettings
from asr.errors import ConfigError
from asr.evaluation import evaluate
from asr.files import sha256_of
from asr.inference.decoding_options import Decoding
from asr.inference.transcriber import Transcriber
from asr.inference.transcript import texts
from asr.lm import NgramModel, Pronunciations
from asr.text import Lexicon
from asr.tuning.confidence import ConfidenceReport, fit_confidence
from asr.tuning.dev_set import DevSet
from asr.tuning.search import Search, Trial, find_weights

GREEDY, BY_CHARACTERS, BY_PHONES = "greedy", "with the language model", "with it by phones"


@dataclass(frozen=True)
class Tuned:
    """The result of tuning a bundle: error rates on dev without and with a language model, fractions.

    Attributes:
        greedy: WER and CER of the best path.
        best: the best weights with the language model, by characters; None where there is no language model.
        by_phones: the best weights by phones; None where the network gives none, or the words have no pronunciations.
        confidence: the models of the confidence of the bundle's words.
    """

    greedy: tuple[float, float]
    best: Trial | None
    by_phones: Trial | None
    confidence: ConfidenceReport

    @property
    def rates(self) -> dict[str, float]:
        """WER of each way to decode."""
        return {way: wer for way, (wer, _) in _ways(self.greedy, self.best, self.by_phones).items()}

    @property
    def way(self) -> str:
        """The way to decode that the bundle uses from now on: that of the fewest word errors."""
        return _fewest_errors(self.greedy, self.best, self.by_phones)


def _ways(greedy: tuple[float, float], best: Trial | None, by_phones: Trial | None) -> dict[str, tuple[float, float]]:
    """Return WER and CER of each way to decode, the simplest first."""
    trials = {BY_CHARACTERS: best, BY_PHONES: by_phones}
    return {GREEDY: greedy} | {way: (trial.wer, trial.cer) for way, trial in trials.items() if trial}


def _fewest_errors(greedy: tuple[float, float], best: Trial | None, by_phones: Trial | None) -> str:
    """Return the way of the fewest errors; of equal ones the simplest, so that a useless language model is left out."""
    ways = _ways(greedy, best, by_phones)
    return min(ways, key=lambda way: ways[way])


def tune_bundle(
    folder: Path,
    dev: DevSet,
    language_model: Path | None,
    *,
    altered: Sequence[DevSet] = (),
    pronunciations: Pronunciations | None = None,
    lexicon: Lexicon | None = None,
    beam_width: int = BeamOptions.width,
    processes: int | None = None,
    test: Sequence[Utterance] = (),
    tried: Callable[[Trial], Any] = lambda trial: None,
) -> Tuned:
    """Give the bundle in ``folder`` the language model, weights and models of confidence that suit it best.

    A language model that does not bring fewer errors on dev is left out, and the bundle decodes by its best path.

    Args:
        folder: the bundle; it is changed once everything has been found.
        dev: what the choices are evaluated on.
        language_model: a .lm file; None leaves the bundle without, its best path's confidence modelled.
        altered: the same utterances under other conditions, in which confidence must hold too.
        pronunciations: how the words of the language model are pronounced, where another bundle knows it.
        lexicon: how the words of the language model are pronounced, for a bundle whose network gives phones. Without
            one, the pronunciations that the bundle has of the same language model are kept.
        beam_width: prefixes kept.
        processes: how many trials run at a time; one a core when None.
        test: utterances whose error rates, with the new decoder, go into the card; none when empty.
        tried: called with each trial as it is done.

    Raises:
        ConfigError: a lexicon for a bundle that hears no phones, or without a language model.
    """
    bundle = load_bundle(folder)
    if lexicon is not None and language_model is None:
        raise ConfigError(
            f"a lexicon says how a language model's words are pronounced, and {folder} has none; name one"
        )
    greedy: Decoder = GreedyDecoder(bundle.vocabulary)
    settings = DecoderSettings(beam_width=beam_width)
    decoders, greedy_rates = {GREEDY: greedy}, dev.error_rates(greedy)
    best = by_phones = word_pronunciations = None
    if language_model is not None:
        word_pronunciations = pronunciations or _pronunciations(bundle, language_model, lexicon)
        processes = processes or os.cpu_count() or 1
        search = Search(bundle.vocabulary, language_model, beam_width, dev.priors)
        best = find_weights(dev, search, processes=processes, tried=tried)
        decoders[BY_CHARACTERS], settings = search.decoder(best.weights), replace(settings, **_kept(search, best))
        if word_pronunciations:
            search = replace(search, pronunciations=word_pronunciations, priors=dev.phone_priors)
            by_phones = find_weights(dev, search, processes=processes, tried=tried)
            decoders[BY_PHONES] = search.decoder(by_phones.weights)
            settings = replace(settings, phones=PhoneSettings(**_kept(search, by_phones)))
    way = _fewest_errors(greedy_rates, best, by_phones)
    if way == GREEDY:
        settings = DecoderSettings(beam_width=beam_width)
    elif way == BY_CHARACTERS:
        settings = replace(settings, phones=None)
    tuned = Tuned(greedy_rates, best, by_phones, fit_confidence(decoders[way], dev, altered, bundle.vocabulary))
    report = tuned.confidence
    settings = replace(settings, **_found(report))
    kept_model, kept_pronunciations = (
        None if way == GREEDY else language_model,
        word_pronunciations if way == BY_PHONES else None,
    )
    card = _card(tuned, dev, language_model)
    if test:
        found = list(texts(Transcriber(bundle, decoders[way]).transcribe_utterances(test)))
        scores = evaluate(test, found, bundle.normaliser).normalised
        card = replace(card, test=ScoredTest(scores.normaliser, scores.words.figures(), scores.characters.figures()))
    write_decoder(folder, settings, kept_model, replace(bundle.card, decoder=card), kept_pronunciations)
    return tuned


def refit_confidence(folder: Path, dev: DevSet, altered: Sequence[DevSet] = ()) -> ConfidenceReport:
    """Fit the models of confidence of the bundle in ``folder`` anew; it decodes as before.

    Args:
        folder: the bundle; it is changed.
        dev: utterances that neither the network nor the language model has learned from.
        altered: the same utterances under other conditions, in which confidence must hold too.
    """
    bundle = load_bundle(folder)
    report = fit_confidence(Decoding().decoder(bundle), dev, altered, bundle.vocabulary)
    settings = replace(bundle.decoder, **_found(report))
    before = bundle.card.decoder or DecoderFigures(_dev_figures(bundle, dev), ConfidenceFigures(0))
    card = replace(bundle.card, decoder=replace(before, confidence=_confidence_figures(report)))
    write_decoder(folder, settings, bundle.language_model, card, bundle.pronunciations)
    return report


def _kept(search: Search, best: Trial) -> dict[str, Any]:
    """Return the weights, and the priors where they are used."""
    return {"weights": best.weights, "priors": search.priors if best.weights.prior_scale else ()}


def _pronunciations(bundle: Bundle, language_model: Path, lexicon: Lexicon | None) -> Pronunciations | None:
    """Return how the words of ``language_model`` are pronounced: by ``lexicon``, or as the bundle says of the same."""
    if lexicon is not None:
        if bundle.phones is None:
            raise ConfigError(f"{bundle.path} hears no phones, so a lexicon cannot help it; train with data.lexicon")
        written = {w: ways for w, ways in lexicon.pronunciations.items() if not bundle.vocabulary.unknown(w)}
        return Pronunciations.of(NgramModel.open(language_model), Lexicon(written), bundle.phones)
    if bundle.language_model is None or bundle.pronunciations is None:
        return None
    same = sha256_of(bundle.language_model) == sha256_of(language_model)
    return bundle.pronunciations if same else None


def _card(tuned: Tuned, dev: DevSet, language_model: Path | None) -> DecoderFigures:
    """Return the part of the model card that describes the decoder."""
    with_model = language_model is not None and tuned.way != GREEDY
    return DecoderFigures(
        DevFigures(
            utterances=len(dev.references),
            speakers=len(set(dev.speakers)),
            greedy_wer=tuned.greedy[0],
            wer=tuned.rates[tuned.way] if with_model else None,
            wer_by_characters=tuned.best.wer if tuned.best and tuned.way == BY_PHONES else None,
        ),
        _confidence_figures(tuned.confidence),
        _ngram_figures(language_model) if language_model and with_model else None,
        left_out=_left_out(tuned, language_model) if language_model and not with_model else None,
    )


def _dev_figures(bundle: Bundle, dev: DevSet) -> DevFigures:
    greedy, _ = dev.error_rates(GreedyDecoder(bundle.vocabulary))
    return DevFigures(len(dev.references), len(set(dev.speakers)), greedy)


def _left_out(tuned: Tuned, language_model: Path) -> LeftOut:
    return LeftOut(sha256_of(language_model), min(wer for way, wer in tuned.rates.items() if way != GREEDY))


def _ngram_figures(language_model: Path) -> NgramFigures:
    return NgramFigures(tuple(NgramModel.open(language_model).counts), language_model.stat().st_size)


def _confidence_figures(report: ConfidenceReport) -> ConfidenceFigures:
    recorded, altered = report.recorded, report.altered
    return ConfidenceFigures(
        words=report.words,
        error_before=recorded.before if recorded else None,
        error_after=recorded.calibration if recorded else None,
        roc_area=recorded.roc_area if recorded else None,
        altered_error_before=altered.before if altered else None,
        altered_error_after=altered.calibration if altered else None,
        altered_roc_area=altered.roc_area if altered else None,
        measured_on=f"other {report.measured_on} than it was fitted to" if recorded else None,
    )


def _found(report: ConfidenceReport) -> dict[str, Any]:
    """Return the decoder settings that the report brings."""
    return {
        "confidence": report.models,
        "alignment": report.alignment,
        "usual_confidence": report.usual_confidence,
    }
