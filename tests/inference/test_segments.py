"""When a region of speech makes a segment, and when its words say that it was a sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asr.arrays import LogProbs
from asr.bundle import Bundle, load_bundle
from asr.decoding import Hypothesis
from asr.inference.segments import as_segments
from asr.inference.spoken import were_spoken
from asr.inference.stitcher import SpeechRegion
from asr.inference.transcript import Word


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle()


def region_of(speech: np.ndarray, bundle: Bundle) -> tuple[SpeechRegion, Hypothesis]:
    """Four letters within the second half of a region of one second, of whose speech this is known."""
    letters = len(bundle.vocabulary.characters) + 1
    log_probs = np.log(np.full((33, letters), 1 / letters, np.float32))
    labels = tuple(bundle.vocabulary.encode("NINE").tolist())
    return SpeechRegion(0.0, (0.0, 1.0), LogProbs(log_probs), speech), Hypothesis(
        "NINE", labels, (18, 21, 24, 27), -9.0
    )


def is_kept(speech: np.ndarray, bundle: Bundle) -> bool:
    region, hypothesis = region_of(speech, bundle)
    return as_segments([region], [[hypothesis]], bundle) != [None]


def probabilities(first_half: float, second_half: float) -> np.ndarray:
    return np.repeat(np.array([first_half, second_half], np.float32), 50)


@pytest.mark.parametrize(
    ("first_half", "second_half", "kept"),
    [(0.0, 0.95, True), (0.95, 0.95, True), (0.95, 0.2, False), (0.2, 0.2, False), (0.0, 0.5, False)],
)
def test_words_are_spoken_where_the_detector_hears_speech(
    bundle: Bundle, first_half: float, second_half: float, kept: bool
) -> None:
    assert is_kept(probabilities(first_half, second_half), bundle) == kept


def test_what_is_not_known_yet_counts_for_nothing(bundle: Bundle) -> None:
    known = probabilities(0.0, 0.95)
    assert is_kept(known[:70], bundle)
    assert is_kept(known[:0], bundle), "a detector of which nothing is known refuses nothing"


@pytest.mark.parametrize(("seconds", "spoken"), [(0.5, True), (8.0, False)])
def test_few_letters_in_a_long_cry_are_not_spoken(seconds: float, spoken: bool) -> None:
    speech = np.full(round(100 * seconds), 0.8, np.float32)
    region = SpeechRegion(0.0, (0.0, seconds), LogProbs(np.zeros((1, 2))), speech)
    assert were_spoken(region, [Word("HELLO", 0.0, seconds, 0.9)]) == spoken


@pytest.mark.parametrize("seconds", [0.3, 1.0, 5.0, 60.0])
def test_speech_of_any_length_is_spoken_where_the_detector_is_fairly_sure(seconds: float) -> None:
    """Ten letters a second."""
    speech = np.full(round(100 * seconds), 0.85, np.float32)
    region = SpeechRegion(0.0, (0.0, seconds), LogProbs(np.zeros((1, 2))), speech)
    assert were_spoken(region, [Word("A" * round(10 * seconds), 0.0, seconds, 0.9)])


@pytest.mark.real_data
def test_ten_minutes_of_sounds_give_hardly_a_word(real_data: Path) -> None:
    """Fold 5 of ESC-10, which taught nothing, 2.5 s of digital silence after each sound."""
    import asr
    from asr.audio import load_audio

    sounds = sorted((real_data / "ESC-10").glob("*/5-*.opus"))
    assert len(sounds) == 80
    silence = np.zeros(40_000, np.float32)
    samples = np.concatenate([part for path in sounds for part in (load_audio(path), silence)])
    assert len(asr.load_model().transcribe(samples, 16_000).text.split()) <= 2
