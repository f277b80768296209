"""The reliability diagram against counts by hand."""

import numpy as np
import pytest

from asr.decoding.calibration import expected_calibration_error
from asr.evaluation import evaluate
from asr.evaluation.hypotheses import HypothesisWord
from asr.evaluation.report.reliability import reliability
from asr.evaluation.text_files import TextReference


def words(*pairs):
    return tuple(HypothesisWord(text, 0.0, 1.0, confidence) for text, confidence in pairs)


def scored(reference, hypothesis, normaliser="upper_letters"):
    return evaluate([TextReference("a", reference, "a")], [hypothesis], normaliser).normalised.utterances


def test_bins_have_the_words_that_are_right():
    found = reliability(
        scored("THE CAT SAT", "THE BAT SAT"), {"a": words(("THE", 0.95), ("BAT", 0.35), ("SAT", 1.0))}, "upper_letters"
    )
    assert [(b.words, b.right) for b in found.bins if b.words] == [(1, 0), (2, 2)]
    assert found.bins[9].confidence == pytest.approx(0.975)
    assert (found.words, found.left_out) == (3, 0)
    marks = np.array([True, False, True])
    assert found.error == pytest.approx(expected_calibration_error(np.array([0.95, 0.35, 1.0]), marks))
    assert found.error == pytest.approx((0.05 + 0.35) / 3)


def test_a_word_that_the_normaliser_parts_gives_its_confidence_to_both_parts():
    found = reliability(scored("well known", "well-known"), {"a": words(("well-known", 0.8))}, "upper_letters")
    assert (found.words, found.bins[8].right) == (2, 2)


def test_an_utterance_whose_words_the_normaliser_joins_is_left_out_and_counted():
    utterances = scored("twenty one", "twenty one", "whisper")
    assert utterances[0].hypothesis == "21"
    assert reliability(utterances, {"a": words(("twenty", 0.9), ("one", 0.9))}, "whisper") is None


def test_without_words_there_is_none():
    assert reliability(scored("A", "A"), {}, "upper_letters") is None
    assert reliability(scored("A", ""), {"a": ()}, "upper_letters") is None
