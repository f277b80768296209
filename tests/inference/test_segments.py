"""When a run of speech makes a segment, and when its words say that it was a sound."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from pathlib import Path

import numpy as np
import pytest

from asr.bundle import Bundle, load_bundle
from asr.decoding import Hypothesis
from asr.decoding.calibration import Calibration
from asr.inference.runs import Run
from asr.inference.segments import as_segment


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle()


def run_of(probability: float, surely_s: float, bundle: Bundle) -> tuple[Run, Hypothesis]:
    """One letter in one frame, which the model gives this probability."""
    log_probs = np.full((1, len(bundle.vocabulary.characters) + 1), -30.0, np.float32)
    log_probs[0, :3] = np.log([1 - probability, 1e-9, probability])
    text = bundle.vocabulary.characters[1]
    return Run(0.0, (0.0, 1.0), log_probs, surely_s), Hypothesis(text, (2,), (0,), float(np.log(probability)))


def is_kept(probability: float, surely_s: float, bundle: Bundle, slope: float = 1.0 + 1e-6) -> bool:
    calibrated = replace(bundle, decoder=replace(bundle.decoder, calibration=Calibration(slope, 0.0)))
    run, reading = run_of(probability, surely_s, bundle)
    return as_segment(run, [reading], calibrated) is not None


@pytest.mark.parametrize(
    ("probability", "surely_s", "kept"),
    [
        (0.91, 0.2, True),
        (0.89, 0.2, False),
        (0.89, 0.69, False),
        (0.89, 0.7, True),
        (0.56, 5.0, True),
        (0.54, 5.0, False),
        (0.1, inf, True),
    ],
)
def test_little_speech_must_be_read_surely_and_any_by_half(
    bundle: Bundle, probability: float, surely_s: float, kept: bool
) -> None:
    assert is_kept(probability, surely_s, bundle) == kept


def test_confidence_that_is_not_calibrated_refuses_nothing(bundle: Bundle) -> None:
    assert is_kept(0.01, 0.2, bundle, slope=1.0)


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
