"""When a region of speech makes a segment, and when its words say that it was a sound."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from pathlib import Path

import numpy as np
import pytest

from asr.arrays import LogProbs
from asr.bundle import Bundle, load_bundle
from asr.decoding import Hypothesis
from asr.decoding.calibration import Calibration
from asr.inference.segments import as_segments
from asr.inference.stitcher import SpeechRegion


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle()


def region_of(probability: float, confident_s: float, bundle: Bundle) -> tuple[SpeechRegion, Hypothesis]:
    """One letter in one frame, which the model gives this probability."""
    log_probs = np.full((1, len(bundle.vocabulary.characters) + 1), -30.0, np.float32)
    log_probs[0, :3] = np.log([1 - probability, 1e-9, probability])
    text = bundle.vocabulary.characters[1]
    return SpeechRegion(0.0, (0.0, 1.0), LogProbs(log_probs), confident_s), Hypothesis(
        text, (2,), (0,), float(np.log(probability))
    )


def is_kept(probability: float, confident_s: float, bundle: Bundle, usual: float | None) -> bool:
    decoder = replace(bundle.decoder, calibration=Calibration(), usual_confidence=usual)
    region, hypothesis = region_of(probability, confident_s, bundle)
    return as_segments([region], [[hypothesis]], replace(bundle, decoder=decoder)) != [None]


@pytest.mark.parametrize(
    ("probability", "confident_s", "kept"),
    [
        (0.77, 0.2, True),
        (0.75, 0.2, False),
        (0.75, 0.69, False),
        (0.75, 0.7, True),
        (0.49, 2.9, True),
        (0.47, 2.9, False),
        (0.1, 3.0, True),
        (0.1, inf, True),
    ],
)
def test_little_speech_must_be_read_as_surely_as_the_model_usually_reads(
    bundle: Bundle, probability: float, confident_s: float, kept: bool
) -> None:
    assert is_kept(probability, confident_s, bundle, usual=0.8) == kept


def test_of_a_model_that_is_usually_wrong_no_more_is_asked(bundle: Bundle) -> None:
    assert is_kept(0.4, 0.2, bundle, usual=0.4)


def test_a_model_of_which_nobody_knows_how_sure_it_is_refuses_nothing(bundle: Bundle) -> None:
    assert is_kept(0.01, 0.2, bundle, usual=None)


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
