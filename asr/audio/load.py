"""Loading of a recording as samples (N,) float32 with one channel at the requested rate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from asr.audio.recording import Recording
from asr.audio.resampling import check_rate, resample
from asr.audio.source import name_of, open_recording
from asr.errors import AudioNotFiniteError, AudioTooShortError

MINIMUM_S = 0.025
"""Shortest recording in seconds: one analysis window, without which there are no features."""

_BLOCK = 1 << 18
"""Number of samples decoded at a time, over all channels."""


def load_audio(
    source: str | Path | BinaryIO,
    sample_rate: int = 16_000,
    *,
    offset_s: float = 0.0,
    duration_s: float | None = None,
    salvage: bool = False,
) -> np.ndarray:
    """Decode ``source`` to samples (N,) float32 in about [-1, 1]: average the channels, resample by soxr (HQ).

    Where the channels cancel each other, as one inverted channel does, the first alone is read, with a warning.

    Args:
        source: a path, or a binary file object (if it cannot seek, it is first read to the end).
        sample_rate: sample rate of the result, Hz.
        offset_s: start of the range to read, seconds.
        duration_s: length of the range, seconds; None reads to the end.
        salvage: keep what is good of a recording that is cut or damaged, silence for what is lost between; an
            `AudioWarning` says how much is missing.

    Raises:
        AudioNotFoundError, AudioIsFolderError, AudioPermissionError: the path cannot be opened.
        AudioEmptyError: the file has no bytes or no samples.
        AudioFormatError: the file is not audio, or has a codec that libsndfile does not decode.
        AudioTruncatedError: the recording is cut or damaged, or ends before the end of the range.
        AudioNotFiniteError: some samples are NaN or infinite.
        AudioTooShortError: the file or the range is shorter than ``MINIMUM_S`` = 25 ms, one analysis window.
        SampleRateError: the file's rate or ``sample_rate`` is outside 4 kHz to 384 kHz.
    """
    name = name_of(source)
    check_request(name, sample_rate, offset_s, duration_s)
    with open_recording(source, salvage) as recording:
        rate = recording.sample_rate
        blocks = list(read_range(recording, offset_s, duration_s))
    samples = np.concatenate(blocks) if blocks else np.empty(0, np.float32)
    return resample(check_finite(samples, name), rate, sample_rate)


def check_finite(samples: np.ndarray, name: str) -> np.ndarray:
    """Check that all samples are finite, and return them.

    Raises:
        AudioNotFiniteError: some samples are NaN or infinite.
    """
    if not np.isfinite(samples).all():
        bad = int(np.count_nonzero(~np.isfinite(samples)))
        raise AudioNotFiniteError(f"{name}: {bad} of {len(samples)} samples are NaN or infinite; encode it again")
    return samples


def check_request(name: str, sample_rate: int, offset_s: float, duration_s: float | None) -> None:
    """Refuse a sample rate or a range that no recording can have.

    Raises:
        SampleRateError: the rate is outside 4 kHz to 384 kHz.
        ValueError: the range is negative or empty.
    """
    check_rate(sample_rate, name)
    if not offset_s >= 0 or (duration_s is not None and not duration_s > 0):
        raise ValueError(f"{name}: offset_s must be >= 0 and duration_s > 0, got {offset_s} and {duration_s}")


def read_range(
    recording: Recording, offset_s: float, duration_s: float | None, most: int = _BLOCK
) -> Iterator[np.ndarray]:
    """Yield the samples of a range as mono blocks (n,) float32, each from at most ``most`` values over all channels.

    Raises:
        AudioTruncatedError: the file ends, or cannot be decoded further, before the end of the range; the blocks
            before that were yielded.
        AudioTooShortError: the range has less than 25 ms.
    """
    rate = recording.sample_rate
    wanted = None if duration_s is None else round(duration_s * rate)
    got = 0
    for block in recording.read(round(offset_s * rate), wanted, most):
        got += len(block)
        yield block
    check_not_too_short(got, rate, recording.name)


def check_not_too_short(got: int, rate: int, name: str) -> None:
    """Refuse a recording shorter than one analysis window.

    Raises:
        AudioTooShortError: ``got`` samples at ``rate`` Hz last less than 25 ms.
    """
    if got < MINIMUM_S * rate:
        raise AudioTooShortError(
            f"{name}: {got} samples at {rate} Hz last {1000 * got / rate:.0f} ms; "
            f"at least {1000 * MINIMUM_S:.0f} ms are needed"
        )
