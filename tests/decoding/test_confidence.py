"""Confidence of words against the sum over every path there is, and against what is right on real recordings."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import asr
from asr.audio import load_audio
from asr.corpora.prepare import prepare
from asr.data import read_manifest
from asr.decoding import Hypothesis, greedy_decode
from asr.decoding.calibration import roc_area
from asr.decoding.confidence import word_confidence, word_confidences
from asr.decoding.words import word_spans
from asr.evaluation.correct_words import correct_words
from asr.text import Vocabulary

VOCABULARY = Vocabulary((" ", "A", "B"))


def random_log_probs(seed: int, frames: int, sharpness: float = 1.0) -> np.ndarray:
    logits = sharpness * np.random.default_rng(seed).normal(size=(frames, 4))
    return (logits - np.log(np.exp(logits).sum(1, keepdims=True))).astype(np.float32)


def by_enumeration(log_probs: np.ndarray, labels: tuple[int, ...]) -> float:
    """Sum of the probabilities of all paths that spell ``labels``."""
    total = 0.0
    for path in itertools.product(range(log_probs.shape[1]), repeat=len(log_probs)):
        if tuple(label for label, _ in itertools.groupby(path) if label) == labels:
            total += float(np.exp(log_probs[range(len(path)), path].sum(dtype=np.float64)))
    return total


@given(st.integers(0, 10**6), st.integers(1, 9))
def test_it_is_the_sum_over_all_paths_of_the_span(seed: int, frames: int) -> None:
    log_probs = random_log_probs(seed, frames, sharpness=2)
    hypothesis = greedy_decode(log_probs, VOCABULARY)
    found = word_confidence(log_probs, hypothesis, VOCABULARY)
    spans = word_spans(hypothesis, VOCABULARY)
    assert found.shape == (len(spans),)
    for confidence, span in zip(found, spans, strict=True):
        with_space = hypothesis.labels[max(span.labels.start - 1, 0) : span.labels.stop]
        summed = by_enumeration(log_probs[span.start_frame : span.end_frame], with_space)
        assert confidence == pytest.approx(summed, rel=1e-5)


def test_a_sure_word_and_a_doubtful_one() -> None:
    logits = np.zeros((12, 4))
    logits[np.arange(12), [0, 2, 0, 0, 0, 1, 0, 2, 0, 0, 0, 0]] = 12
    logits[7, 3] = 12  # A or B
    log_probs = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    hypothesis = Hypothesis("A A", (2, 1, 2), (1, 5, 7), 0.0)
    assert word_confidence(log_probs, hypothesis, VOCABULARY) == pytest.approx([1, 0.5], abs=1e-3)


def test_an_hour_in_one_word_does_not_underflow() -> None:
    frames = 2000
    log_probs = np.log(np.full((frames, 4), [0.9, 0.02, 0.04, 0.04]))
    log_probs[::4] = np.log([0.02, 0.02, 0.9, 0.06])
    hypothesis = greedy_decode(log_probs, VOCABULARY)
    assert len(hypothesis.labels) == 500
    (confidence,) = word_confidence(log_probs, hypothesis, VOCABULARY)
    assert 0 < confidence < 1e-50


def test_impossible_words_have_none() -> None:
    with np.errstate(divide="ignore"):
        log_probs = np.log(np.array([[1.0, 0, 0, 0], [1.0, 0, 0, 0]]))
    assert word_confidence(log_probs, Hypothesis("A", (2,), (0,), 0.0), VOCABULARY).tolist() == [0]


def test_no_words() -> None:
    assert word_confidence(random_log_probs(0, 5), Hypothesis("", (), (), 0.0), VOCABULARY).shape == (0,)


def test_several_recordings_at_once_as_one_by_one() -> None:
    log_probs = [random_log_probs(seed, frames, sharpness=2) for seed, frames in enumerate([9, 0, 4, 14, 2])]
    hypotheses = [greedy_decode(one, VOCABULARY) for one in log_probs]
    alone = [word_confidence(*pair, VOCABULARY) for pair in zip(log_probs, hypotheses, strict=True)]
    assert sum(map(len, alone)) > 3
    for found, wanted in zip(word_confidences(log_probs, hypotheses, VOCABULARY), alone, strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert word_confidences([], [], VOCABULARY) == []


@pytest.mark.real_data
def test_real_words_with_more_confidence_are_right_more_often(real_data: Path, tmp_path: Path) -> None:
    """Twenty of AN4's test utterances in noise, so that there are errors enough."""
    prepare("an4", real_data / "an4", tmp_path)
    model = asr.load_model()
    found, marks = [], []
    for seed, utterance in enumerate(read_manifest(tmp_path / "test.jsonl")[::6]):
        samples = load_audio(utterance.audio_filepath, model.sample_rate)
        noise = np.random.default_rng(seed).normal(0, 0.3 * samples.std(), len(samples))
        log_probs = model.log_probs((samples + noise).astype(np.float32)).characters
        hypothesis = greedy_decode(log_probs, model.bundle.vocabulary)
        found.append(word_confidence(log_probs, hypothesis, model.bundle.vocabulary))
        marks.append(correct_words(utterance.text, hypothesis.text))
    area = roc_area(np.concatenate(found), np.concatenate(marks))
    assert area is not None and area > 0.85
