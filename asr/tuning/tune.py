"""Give a bundle a language model, the decoding weights that suit it best, and a calibrated confidence."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from asr.bundle import Bundle, load_bundle, write_decoder
from asr.card import ConfidenceFigures, DecoderFigures, DevFigures, NgramFigures, ScoredTest
from asr.data import Utterance
from asr.decoding import BeamOptions, Decoder, DecoderSettings, GreedyDecoder, PhoneSettings
from asr.decoding.calibration import CalibrationReport, calibrate
from asr.decoding.confidence import word_confidences
from asr.errors import ConfigError
from asr.evaluation import evaluate
from asr.evaluation.correct_words import correct_words
from asr.files import sha256_of
from asr.inference.transcriber import Transcriber
from asr.inference.transcript import texts
from asr.lm import NgramModel, Pronunciations
from asr.text import Lexicon, Vocabulary
from asr.tuning.dev_set import DevSet
from asr.tuning.search import Search, Trial, find_weights


def calibrate_confidence(decoder: Decoder, dev: DevSet, vocabulary: Vocabulary) -> CalibrationReport:
    """Fit the calibration of the confidence of ``decoder``'s words to ``dev``.

    Raises:
        EvaluationError: dev has no words, or one speaker only.
    """
    hypotheses = dev.best_hypotheses(decoder)
    raw = word_confidences([one.characters for one in dev.log_probs], hypotheses, vocabulary)
    pairs = zip(dev.references, hypotheses, strict=True)
    correct = [correct_words(reference, " ".join(best.text.split())) for reference, best in pairs]
    return calibrate(raw, correct, dev.speakers)


@dataclass(frozen=True)
class Tuned:
    """The result of tuning a bundle: error rates on dev without and with its language model, fractions.

    Attributes:
        greedy: WER and CER of the best path.
        best: the best weights with the language model, by characters; None where there is no language model.
        by_phones: the best weights by phones; None where the network gives none, or the words have no pronunciations.
        calibration: the calibration of the decoder's confidence.
    """

    greedy: tuple[float, float]
    best: Trial | None
    by_phones: Trial | None
    calibration: CalibrationReport

    @property
    def rates(self) -> dict[str, float]:
        """WER of each way to decode; the last is the one that the bundle uses from now on."""
        found = {"greedy": self.greedy[0]}
        trials = {"with the language model": self.best, "with it by phones": self.by_phones}
        return found | {way: trial.wer for way, trial in trials.items() if trial}


def tune_bundle(
    folder: Path,
    dev: DevSet,
    language_model: Path | None,
    *,
    lexicon: Lexicon | None = None,
    beam_width: int = BeamOptions.width,
    processes: int | None = None,
    test: Sequence[Utterance] = (),
    tried: Callable[[Trial], Any] = lambda trial: None,
) -> Tuned:
    """Give the bundle in ``folder`` a language model and the weights and calibration that suit it best.

    Args:
        folder: the bundle; it is changed once everything has been found.
        dev: what the choices are evaluated on.
        language_model: a .lm file; None leaves the bundle without, its best path's confidence calibrated.
        lexicon: how the words of the language model are said, for a bundle whose network gives phones. Without one,
            the pronunciations that the bundle has of the same language model are kept.
        beam_width: prefixes kept.
        processes: how many trials run at a time; one a core when None.
        test: utterances whose error rates, with the new decoder, go into the card; none when empty.
        tried: called with each trial as it is done.

    Raises:
        ConfigError: a lexicon for a bundle that hears no phones, or without a language model.
    """
    bundle = load_bundle(folder)
    if lexicon is not None and language_model is None:
        raise ConfigError(f"a lexicon says how a language model's words are said, and {folder} has none; name one")
    greedy: Decoder = GreedyDecoder(bundle.vocabulary)
    decoder, settings = greedy, DecoderSettings(beam_width=beam_width)
    best = by_phones = pronunciations = None
    if language_model is not None:
        pronunciations = _pronunciations(bundle, language_model, lexicon)
        processes = processes or os.cpu_count() or 1
        search = Search(bundle.vocabulary, language_model, beam_width, dev.priors)
        best = find_weights(dev, search, processes=processes, tried=tried)
        decoder, settings = search.decoder(best.weights), replace(settings, **_kept(search, best))
        if pronunciations:
            search = replace(search, pronunciations=pronunciations, priors=dev.phone_priors)
            by_phones = find_weights(dev, search, processes=processes, tried=tried)
            decoder = search.decoder(by_phones.weights)
            settings = replace(settings, phones=PhoneSettings(**_kept(search, by_phones)))
    report = calibrate_confidence(decoder, dev, bundle.vocabulary)
    tuned = Tuned(dev.error_rates(greedy), best, by_phones, report)
    settings = replace(settings, calibration=report.calibration, usual_confidence=1 - report.wrong / report.words)
    card = _card(tuned, dev, language_model)
    if test:
        found = list(texts(Transcriber(bundle, decoder).transcribe_utterances(test)))
        scores = evaluate(test, found, bundle.normaliser).normalised
        card = replace(card, test=ScoredTest(scores.normaliser, scores.words.figures(), scores.characters.figures()))
    write_decoder(folder, settings, language_model, replace(bundle.card, decoder=card), pronunciations)
    return tuned


def _kept(search: Search, best: Trial) -> dict[str, Any]:
    """Return the weights, and the priors where they are used."""
    return {"weights": best.weights, "priors": search.priors if best.weights.prior_scale else ()}


def _pronunciations(bundle: Bundle, language_model: Path, lexicon: Lexicon | None) -> Pronunciations | None:
    """Return how the words of ``language_model`` are said: by ``lexicon``, or as the bundle says of the same."""
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
    report, searched = tuned.calibration, tuned.best is not None and language_model is not None
    return DecoderFigures(
        DevFigures(
            utterances=len(dev.references),
            speakers=len(set(dev.speakers)),
            greedy_wer=tuned.greedy[0],
            wer=list(tuned.rates.values())[-1] if searched else None,
            wer_by_characters=tuned.best.wer if tuned.best and tuned.by_phones else None,
        ),
        ConfidenceFigures(report.error_before, report.error_after, report.words),
        _ngram_figures(language_model) if searched and language_model else None,
    )


def _ngram_figures(language_model: Path) -> NgramFigures:
    return NgramFigures(tuple(NgramModel.open(language_model).counts), language_model.stat().st_size)
