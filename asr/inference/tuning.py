"""Find on dev how much a language model should count, and what a confidence is worth."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from asr.audio import load_audio
from asr.bundle import Bundle, load_bundle, write_decoder
from asr.data import Utterance
from asr.decoding import (
    BeamDecoder,
    BeamOptions,
    Decoder,
    DecoderSettings,
    FusionWeights,
    GreedyDecoder,
    Hypothesis,
    PhoneDecoder,
    PhoneSettings,
    WordFusion,
)
from asr.decoding.calibration import CalibrationReport, calibrate
from asr.decoding.confidence import word_confidences
from asr.decoding.priors import discount, log_priors
from asr.errors import ConfigError
from asr.evaluation import error_rate, evaluate
from asr.evaluation.correct_words import correct_words
from asr.files import sha256_of
from asr.inference.transcriber import Transcriber
from asr.lm import NgramModel, Pronunciations
from asr.text import Lexicon, Vocabulary

ALPHAS = (0.2, 0.4, 0.7, 1.0, 1.5)
BETAS = (-1.0, 0.0, 1.0, 2.5, 4.0)
UNKNOWN_SCORES = (-5.0, -15.0)
PRIOR_SCALES = (0.0, 0.5)
ENOUGH_WORDS, ENOUGH_PREFIXES = 1500, 64
"""For the coarse grid, whose choices differ by more than so few words can err, or so narrow a beam; the finer one has
the whole dev set and beam."""

_NOTHING = Hypothesis("", (), (), 0.0)


@dataclass(frozen=True, eq=False)
class DevSet:
    """What weights are judged on.

    Attributes:
        log_probs: (T', V) of each utterance.
        references: what was said, normalised.
        speakers: who said it.
    """

    log_probs: Sequence[np.ndarray]
    references: Sequence[str]
    speakers: Sequence[str]

    @cached_property
    def priors(self) -> tuple[float, ...]:
        """As `asr.decoding.priors.log_priors`."""
        return tuple(log_priors(self.log_probs).tolist())

    def thinned(self, words: int) -> DevSet:
        """Every n-th utterance, with the largest n that leaves ``words`` words; all where there are fewer."""
        step = max(1, sum(len(reference.split()) for reference in self.references) // words)
        return DevSet(self.log_probs[::step], self.references[::step], self.speakers[::step])


@dataclass(frozen=True)
class Trial:
    """Error rates, fractions, of one choice of weights."""

    wer: float
    cer: float
    weights: FusionWeights


@dataclass(frozen=True, eq=False)
class Search:
    """A beam search with a language model, in all but its weights.

    Attributes:
        vocabulary: of the characters, V labels.
        language_model: a file that `NgramModel.save` wrote.
        beam_width: prefixes kept.
        priors: (V + P,) of characters and phones, as `DevSet.priors`.
        pronunciations: of the model's words, for a search over phones; None for one over characters.
    """

    vocabulary: Vocabulary
    language_model: Path
    beam_width: int
    priors: Sequence[float]
    pronunciations: Pronunciations | None = None

    @cached_property
    def own_priors(self) -> tuple[float, ...]:
        """Those of the labels searched."""
        characters = len(self.vocabulary)
        return tuple(self.priors[:characters] if self.pronunciations is None else self.priors[characters:])

    @cached_property
    def _model(self) -> NgramModel:
        return NgramModel.open(self.language_model)

    def decoder(self, weights: FusionWeights) -> Decoder:
        """With these weights."""
        options, less = BeamOptions(self.beam_width), discount(self.own_priors, weights.prior_scale)
        if self.pronunciations is None:
            fusion = WordFusion(self._model, self.vocabulary, weights)
            return BeamDecoder(self.vocabulary, [fusion], options, discount=less)
        return PhoneDecoder(self.vocabulary, self._model, self.pronunciations, weights, options, discount=less)

    def choices(self) -> list[FusionWeights]:
        """A coarse grid of weights; the price of unknown words is searched with the others.

        While a wrong word costs little as an unknown one, the best weights are those that trust the model little.
        """
        unknown = UNKNOWN_SCORES if self.pronunciations is None else UNKNOWN_SCORES[:1]
        return [FusionWeights(*choice) for choice in product(ALPHAS, BETAS, unknown, PRIOR_SCALES)]

    def otherwise(self, weights: FusionWeights) -> list[FusionWeights]:
        """These with other prices of unknown words, and with priors divided out by half as much and half more."""
        prices = (0.4, 2.0) if self.pronunciations is None else ()
        scales = {min(weights.prior_scale * by, 1.0) for by in (0.5, 1.5)} - {weights.prior_scale}
        return [
            *(replace(weights, unknown_score=weights.unknown_score * by) for by in prices),
            *(replace(weights, prior_scale=scale) for scale in sorted(scales)),
        ]


@dataclass(frozen=True, eq=False)
class _Work:
    """What each process holds: it is sent and its language model opened once, each trial then costs a few numbers."""

    dev: DevSet
    search: Search

    def try_out(self, weights: FusionWeights) -> Trial:
        return Trial(*judge(self.search.decoder(weights), self.dev), weights)


def judge(decoder: Decoder, dev: DevSet) -> tuple[float, float]:
    """WER and CER of a decoder on the dev set."""
    texts = [best.text for best in _read(decoder, dev)]
    words, characters = (error_rate(dev.references, texts, unit) for unit in ("word", "character"))
    return words.rate, characters.rate


def _read(decoder: Decoder, dev: DevSet) -> list[Hypothesis]:
    return [(readings or [_NOTHING])[0] for readings in decoder.decode(dev.log_probs)]


def tune(dev: DevSet, search: Search, *, processes: int, tried: Callable[[Trial], Any] = lambda trial: None) -> Trial:
    """The weights of the fewest word errors on ``dev``, by a grid and then a finer one around its best.

    The grid is searched with a beam that is enough to tell good weights from bad.

    Args:
        dev: utterances that neither the acoustic nor the language model has learned from.
        search: what is to be weighed.
        processes: trials at a time.
        tried: told each trial as it is done.
    """
    context = get_context("spawn")

    def best_of(some: DevSet, search: Search, choices: Iterable[FusionWeights]) -> Trial:
        found, work = [], _Work(some, search)
        with ProcessPoolExecutor(processes, mp_context=context, initializer=_begin, initargs=(work,)) as pool:
            for trial in pool.map(_try_out, choices):
                tried(trial)
                found.append(trial)
        return min(found, key=lambda trial: (trial.wer, trial.cer))

    narrow = replace(search, beam_width=min(search.beam_width, ENOUGH_PREFIXES))
    best = best_of(dev.thinned(ENOUGH_WORDS), narrow, search.choices())
    best = best_of(dev, search, _around(best.weights))
    others = search.otherwise(best.weights)
    return min(best, best_of(dev, search, others), key=lambda trial: (trial.wer, trial.cer)) if others else best


_work: _Work


def _begin(work: _Work) -> None:
    global _work
    _work = work


def _try_out(weights: FusionWeights) -> Trial:
    return _work.try_out(weights)


def _around(weights: FusionWeights) -> list[FusionWeights]:
    """It and its eight neighbours, a fifth and a half away."""
    steps = product((0.8, 1.0, 1.25), (-0.5, 0.0, 0.5))
    return [replace(weights, alpha=weights.alpha * by, beta=weights.beta + plus) for by, plus in steps]


def calibrate_confidence(decoder: Decoder, dev: DevSet, vocabulary: Vocabulary) -> CalibrationReport:
    """What the confidence of ``decoder``'s words is worth on ``dev``.

    Raises:
        EvaluationError: there is nothing to calibrate by, or one speaker only.
    """
    readings = _read(decoder, dev)
    raw = word_confidences(dev.log_probs, readings, vocabulary)
    texts = [" ".join(best.text.split()) for best in readings]
    correct = [correct_words(reference, text) for reference, text in zip(dev.references, texts, strict=True)]
    return calibrate(raw, correct, dev.speakers)


def dev_set(model: Transcriber, utterances: Sequence[Utterance]) -> DevSet:
    """Log-probabilities of ``utterances``, whose texts are the references, normalised.

    Raises:
        AudioError: one of them cannot be read.
    """
    log_probs = []
    for one in utterances:
        span = {"offset_s": one.offset, "duration_s": one.duration}
        log_probs.append(model.log_probs(load_audio(one.audio_filepath, model.sample_rate, **span)))
    return DevSet(log_probs, [one.text for one in utterances], [one.speaker for one in utterances])


@dataclass(frozen=True)
class Tuned:
    """What tuning a bundle brought: rates of the dev set without and with its decoder, fractions.

    Attributes:
        greedy: WER and CER of the best path.
        best: the same with the language model, by characters; None where there is none.
        spoken: the same by phones; None where none are heard, or nobody says how the words are said.
        calibration: of the decoder's confidence.
    """

    greedy: tuple[float, float]
    best: Trial | None
    spoken: Trial | None
    calibration: CalibrationReport

    @property
    def rates(self) -> dict[str, float]:
        """WER of each way to read, the last being how recordings are read from now on."""
        found = {"greedy": self.greedy[0]}
        trials = {"with the language model": self.best, "with it by phones": self.spoken}
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
        folder: of a bundle, which is changed once all is found.
        dev: what it is judged on.
        language_model: a .lm file; None leaves the bundle without, its best path's confidence calibrated.
        lexicon: how its words are said, for a bundle that hears phones. Without one, a model that the bundle has
            already is said as before.
        beam_width: prefixes kept.
        processes: trials at a time; one a core when None.
        test: utterances whose error rates, with the new decoder, go into the card; none when empty.
        tried: told each trial as it is done.

    Raises:
        ConfigError: a lexicon for a bundle that hears no phones, or without a language model.
    """
    bundle = load_bundle(folder)
    if lexicon is not None and language_model is None:
        raise ConfigError(f"a lexicon says how a language model's words are said, and {folder} has none; name one")
    greedy: Decoder = GreedyDecoder(bundle.vocabulary)
    decoder, settings = greedy, DecoderSettings(beam_width=beam_width)
    best = spoken = said = None
    if language_model is not None:
        said = _pronunciations(bundle, language_model, lexicon)
        processes = processes or os.cpu_count() or 1
        search = Search(bundle.vocabulary, language_model, beam_width, dev.priors)
        best = tune(dev, search, processes=processes, tried=tried)
        decoder, settings = search.decoder(best.weights), replace(settings, **_kept(search, best))
        if said:
            search = replace(search, pronunciations=said)
            spoken = tune(dev, search, processes=processes, tried=tried)
            decoder = search.decoder(spoken.weights)
            settings = replace(settings, phones=PhoneSettings(**_kept(search, spoken)))
    report = calibrate_confidence(decoder, dev, bundle.vocabulary)
    tuned = Tuned(judge(greedy, dev), best, spoken, report)
    settings = replace(settings, calibration=report.calibration, usual_confidence=1 - report.wrong / report.words)
    card = _card(tuned, dev, language_model)
    if test:
        found = list(Transcriber(bundle, decoder).transcribe_utterances(test))
        card["test"] = evaluate(test, found).normalised.to_json()
    write_decoder(folder, settings, language_model, {**bundle.card, "decoder": card}, said)
    return tuned


def _kept(search: Search, best: Trial) -> dict[str, Any]:
    """Weights, and the priors where they count."""
    return {"weights": best.weights, "priors": search.own_priors if best.weights.prior_scale else ()}


def _pronunciations(bundle: Bundle, language_model: Path, lexicon: Lexicon | None) -> Pronunciations | None:
    """Of the words of ``language_model``: by ``lexicon``, or as the bundle has them of the same model."""
    if lexicon is not None:
        if bundle.phones is None:
            raise ConfigError(f"{bundle.path} hears no phones, so a lexicon cannot help it; train with data.lexicon")
        written = {w: ways for w, ways in lexicon.pronunciations.items() if not bundle.vocabulary.unknown(w)}
        return Pronunciations.of(NgramModel.open(language_model), Lexicon(written), bundle.phones)
    if bundle.language_model is None or bundle.pronunciations is None:
        return None
    same = sha256_of(bundle.language_model) == sha256_of(language_model)
    return bundle.pronunciations if same else None


def _card(tuned: Tuned, dev: DevSet, language_model: Path | None) -> dict[str, Any]:
    """What the model card says of the decoder."""
    report = tuned.calibration
    card: dict[str, Any] = {
        "dev": {"utterances": len(dev.references), "speakers": len(set(dev.speakers)), "greedy_wer": tuned.greedy[0]},
        "confidence": {"error_before": report.error_before, "error_after": report.error_after, "words": report.words},
    }
    if tuned.best and language_model:
        model = NgramModel.open(language_model)
        card["dev"]["wer"] = list(tuned.rates.values())[-1]
        card["language_model"] = {"ngrams": list(model.counts), "bytes": language_model.stat().st_size}
    if tuned.best and tuned.spoken:
        card["dev"]["wer_by_characters"] = tuned.best.wer
    return card
