"""Arrays given instead of files keep the same promises."""

from __future__ import annotations

import numpy as np
import pytest

from asr.audio import as_samples
from asr.errors import (
    AudioEmptyError,
    AudioFormatError,
    AudioNotFiniteError,
    AudioTooShortError,
    SampleRateError,
)


def test_floats_pass_as_float32() -> None:
    samples = as_samples(np.linspace(-1, 1, 400), 16_000, 16_000)
    assert samples.dtype == np.float32
    np.testing.assert_allclose(samples, np.linspace(-1, 1, 400), atol=1e-7)


@pytest.mark.parametrize(("kind", "top"), [(np.int16, 2**15), (np.int32, 2**31)])
def test_integers_are_scaled_by_their_full_range(kind: type, top: int) -> None:
    given = np.array([-top, 0, top // 2] * 200, kind)
    np.testing.assert_array_equal(as_samples(given, 16_000, 16_000)[:3], [-1.0, 0.0, 0.5])


def test_another_rate_is_resampled() -> None:
    assert as_samples(np.zeros(8_000), 8_000, 16_000).shape == (16_000,)


@pytest.mark.parametrize(
    ("given", "rate", "error", "words"),
    [
        (np.zeros((2, 16_000)), 16_000, AudioFormatError, r"got shape \(2, 16000\); average the channels"),
        (np.float32(0), 16_000, AudioFormatError, r"shape \(\)"),
        (np.zeros(16_000, np.uint8), 16_000, AudioFormatError, "got uint8"),
        (np.zeros(16_000, complex), 16_000, AudioFormatError, "got complex128"),
        (["a", "b"], 16_000, AudioFormatError, "got <U1"),
        (np.zeros(0), 16_000, AudioEmptyError, "empty"),
        (np.zeros(399), 16_000, AudioTooShortError, "last 25 ms"),
        (np.full(400, np.nan), 16_000, AudioNotFiniteError, "400 of 400"),
        (np.zeros(400), 16, SampleRateError, "16 Hz"),
    ],
)
def test_what_is_refused(given: object, rate: int, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        as_samples(given, rate, 16_000)  # type: ignore[arg-type]
