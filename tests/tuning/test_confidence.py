"""Fitting confidence: on other speakers than it is measured on, on utterances where there is one speaker."""

from __future__ import annotations

import numpy as np
import pytest

from asr.arrays import LogProbs
from asr.decoding import GreedyDecoder
from asr.decoding.calibration import expected_calibration_error
from asr.decoding.word_evidence import ACOUSTIC
from asr.text import Vocabulary
from asr.tuning import DevSet
from asr.tuning.confidence import SPEAKERS, UTTERANCES, fit_confidence, judge_texts

VOCABULARY = Vocabulary(tuple(" ABCDEFG"))
WORDS = ("BAD", "CAB", "FACE", "CAGE", "GAB", "DEAF")


def said(count: int, speakers: int, wrong: float, sure: float, seed: int = 0) -> DevSet:
    """Utterances of three words; of a share ``wrong`` of letters another is heard, less surely than right ones."""
    random = np.random.default_rng(seed)
    references, log_probs = [], []
    for _ in range(count):
        text = " ".join(random.choice(WORDS, 3))
        rows = np.full((2 * len(text) + 1, len(VOCABULARY)), 0.01)
        rows[::2, 0] = 1.0
        for t, letter in enumerate(text):
            label = VOCABULARY.encode(letter)[0]
            if letter != " " and random.random() < wrong:
                rows[2 * t + 1, [label, 2 + (label - 1) % 7]] = 0.4, 0.6 * random.uniform(0.7, 1.5)
            else:
                rows[2 * t + 1, label] = sure * random.uniform(0.3, 1)
        log_probs.append(LogProbs(np.log(rows / rows.sum(axis=1, keepdims=True))))
        references.append(text)
    return DevSet(log_probs, references, [f"s{i % speakers}" for i in range(count)])


def test_confidence_is_measured_on_other_speakers() -> None:
    report = fit_confidence(GreedyDecoder(VOCABULARY), said(200, 4, 0.05, 0.9), [], VOCABULARY)
    assert report.measured_on == SPEAKERS and report.recorded is not None and report.altered is None
    assert (report.words, report.wrong) == (report.recorded.words, report.recorded.wrong)
    assert report.recorded.calibration < 0.05
    assert report.recorded.roc_area is not None and report.recorded.roc_area > 0.8
    assert [set(model.weights) for model in report.models] == [set(ACOUSTIC)]
    assert report.usual_confidence == pytest.approx(1 - report.wrong / report.words)


def test_conditions_in_which_more_is_wrong_count_too() -> None:
    clean, noisy = said(200, 4, 0.02, 0.9), said(200, 4, 0.2, 0.6, seed=1)
    decoder = GreedyDecoder(VOCABULARY)
    report = fit_confidence(decoder, clean, [noisy], VOCABULARY)
    assert report.altered is not None and report.recorded is not None
    assert report.altered.wrong > 3 * report.recorded.wrong == 3 * report.wrong
    assert max(report.altered.calibration, report.recorded.calibration) < 0.05


def test_of_one_speaker_utterances_are_measured_on_others() -> None:
    report = fit_confidence(GreedyDecoder(VOCABULARY), said(60, 1, 0.05, 0.9), [], VOCABULARY)
    assert report.measured_on == UTTERANCES and report.recorded is not None
    assert report.recorded.words == report.words


def test_one_utterance_alone_is_fitted_to_and_measures_nothing() -> None:
    report = fit_confidence(GreedyDecoder(VOCABULARY), said(1, 1, 0.0, 0.9), [], VOCABULARY)
    assert (report.words, len(report.models), report.recorded) == (3, 1, None)


def test_without_a_word_there_is_no_model() -> None:
    blank = np.log(np.full((5, len(VOCABULARY)), 0.01))
    blank[:, 0] = 0.0
    report = fit_confidence(
        GreedyDecoder(VOCABULARY), DevSet([LogProbs(blank)] * 2, ["BAD", "CAB"], ["a", "b"]), [], VOCABULARY
    )
    assert (report.models, report.words, report.usual_confidence) == ((), 0, None)


def test_words_of_a_text_that_are_not_said_are_told_from_those_that_are() -> None:
    dev, other = said(200, 4, 0.05, 0.9), said(100, 4, 0.05, 0.9, seed=1)
    model = fit_confidence(GreedyDecoder(VOCABULARY), dev, [], VOCABULARY).alignment
    words = judge_texts(other, VOCABULARY)
    assert model is not None and 0.8 < words.correct.mean() < 0.95
    confidence = model(words.features)
    assert confidence[words.correct].mean() > 0.9 and confidence[~words.correct].mean() < 0.3
    assert expected_calibration_error(confidence, words.correct) < 0.05


def test_texts_that_the_frames_cannot_spell_are_left_out() -> None:
    short = DevSet([LogProbs(np.log(np.full((2, len(VOCABULARY)), 0.1)))], ["BAD CAB"], ["a"])
    assert len(judge_texts(short, VOCABULARY)) == 0
