"""Arrays of samples, checked and converted to the samples that `load_audio` returns for a file."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from asr.audio.load import MINIMUM_S, check_finite
from asr.audio.resampling import check_rate, resample
from asr.errors import AudioEmptyError, AudioFormatError, AudioTooShortError

_NAME = "samples"


def as_samples(array: ArrayLike, from_rate: int, to_rate: int) -> np.ndarray:
    """Convert an array (N,) of floats in [-1, 1], int16 or int32 to samples float32 at ``to_rate`` Hz.

    Raises:
        AudioFormatError: the array has another shape or type.
        AudioEmptyError, AudioTooShortError: the array is empty, or has less than 25 ms.
        AudioNotFiniteError: some samples are NaN or infinite.
        SampleRateError: ``from_rate`` is outside 4 kHz to 384 kHz.
    """
    samples = as_packet(array)
    check_rate(from_rate, _NAME)
    if samples.size == 0:
        raise AudioEmptyError(f"{_NAME} are empty")
    if len(samples) < MINIMUM_S * from_rate:
        milliseconds = 1000 * len(samples) / from_rate
        raise AudioTooShortError(f"{_NAME} last {milliseconds:.0f} ms; at least {1000 * MINIMUM_S:.0f} ms are needed")
    return resample(samples, from_rate, to_rate)


def as_packet(array: ArrayLike) -> np.ndarray:
    """Convert an array (n,) of floats in [-1, 1], int16 or int32, of any length, to samples (n,) float32.

    Raises:
        AudioFormatError: the array has another shape or type.
        AudioNotFiniteError: some samples are NaN or infinite.
    """
    given = np.asarray(array)
    if given.ndim != 1:
        raise AudioFormatError(f"{_NAME} must be (N,), one channel, got shape {given.shape}; average the channels")
    return check_finite(_as_float(given), _NAME)


def _as_float(given: np.ndarray) -> np.ndarray:
    if given.dtype in (np.int16, np.int32):
        return (given / -float(np.iinfo(given.dtype).min)).astype(np.float32)
    if given.dtype.kind == "f":
        return np.ascontiguousarray(given, dtype=np.float32)
    raise AudioFormatError(f"{_NAME} must be floats in [-1, 1], int16 or int32, got {given.dtype}")
