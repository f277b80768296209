"""Loading of a recording as samples (N,) float32 with one channel at the requested rate."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
import soxr

from asr.audio.source import UNKNOWN_FRAMES, Forward, check_rate, name_of, open_recording
from asr.errors import AudioNotFiniteError, AudioTooShortError, AudioTruncatedError

MINIMUM_S = 0.025
"""Shortest recording in seconds: one analysis window, without which there are no features."""

_BLOCK = 1 << 18
"""Number of samples decoded at a time, over all channels."""

_SLACK_S = 0.1
"""Seconds that a recording may be shorter than stated, since manifests and MP3 headers round durations."""


def load_audio(
    source: str | Path | BinaryIO,
    sample_rate: int = 16_000,
    *,
    offset_s: float = 0.0,
    duration_s: float | None = None,
) -> np.ndarray:
    """Decode ``source`` to samples (N,) float32 in about [-1, 1]: average the channels, resample by soxr (HQ).

    Args:
        source: a path, or a binary file object (if it cannot seek, it is first read to the end).
        sample_rate: sample rate of the result, Hz.
        offset_s: start of the range to read, seconds.
        duration_s: length of the range, seconds; None reads to the end.

    Raises:
        AudioNotFoundError, AudioIsFolderError, AudioPermissionError: the path cannot be opened.
        AudioEmptyError: the file has no bytes or no samples.
        AudioFormatError: the file is not audio, or has a codec that libsndfile does not decode.
        AudioTruncatedError: the file ends, or cannot be decoded further, before its stated end or that of the range.
        AudioNotFiniteError: some samples are NaN or infinite.
        AudioTooShortError: the file or the range is shorter than ``MINIMUM_S`` = 25 ms, one analysis window.
        SampleRateError: the file's rate or ``sample_rate`` is outside 4 kHz to 384 kHz.
    """
    name = name_of(source)
    check_request(name, sample_rate, offset_s, duration_s)
    with open_recording(source) as recording:
        rate = recording.samplerate
        blocks = list(read_range(recording, name, offset_s, duration_s))
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


def resample(samples: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """Resample samples (N,) float32 from ``from_rate`` to ``to_rate`` Hz: (round(N · to_rate / from_rate),)."""
    if from_rate == to_rate:
        return samples
    return np.asarray(soxr.resample(samples, from_rate, to_rate), dtype=np.float32)


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
    recording: Forward, name: str, offset_s: float, duration_s: float | None, most: int = _BLOCK
) -> Iterator[np.ndarray]:
    """Yield the samples of a range as mono blocks (n,) float32, each from at most ``most`` values over all channels.

    Raises:
        AudioTruncatedError: the file ends, or cannot be decoded further, before the end of the range; the blocks
            before that were yielded.
        AudioTooShortError: the range has less than 25 ms.
    """
    rate = recording.samplerate
    start = round(offset_s * rate)
    wanted = None if duration_s is None else round(duration_s * rate)
    got = 0
    try:
        if start:
            recording.seek(min(start, recording.frames))
        for block in decode(recording, wanted, most):
            got += len(block)
            yield block
    except soundfile.LibsndfileError as fault:
        at, reason = (start + got) / rate, fault.error_string.strip(" .")
        raise AudioTruncatedError(f"{name}: cut or damaged, cannot be decoded after {at:.1f} s ({reason})") from fault
    _check_length(recording, name, start, wanted, got)


def decode(recording: Forward, wanted: int | None, most: int = _BLOCK) -> Iterator[np.ndarray]:
    """Decode from the current position of ``recording``: yield mono blocks (n,) float32.

    Decode ``wanted`` samples, or to the end if None. ``SoundFile.blocks`` would repeat stale samples after a short
    read; ``read`` returns only the samples that were read.
    """
    left = UNKNOWN_FRAMES if wanted is None else wanted
    most = max(most // recording.channels, 1)
    while left > 0:
        block = recording.read(min(most, left), dtype="float32", always_2d=True)
        if not len(block):
            return
        left -= len(block)
        yield to_mono(block)


def to_mono(block: np.ndarray) -> np.ndarray:
    """Average the channels (n, C) to (n,)."""
    if block.shape[1] == 1:
        return block[:, 0]
    with np.errstate(invalid="ignore", over="ignore"):  # infinite samples raise an error later
        mono: np.ndarray = block.mean(axis=1)
        return mono


def _check_length(recording: Forward, name: str, start: int, wanted: int | None, got: int) -> None:
    rate = recording.samplerate
    if wanted is None and recording.promises_length:
        wanted = max(recording.frames - start, 0)
    if wanted is not None and got < wanted - _SLACK_S * rate:
        raise AudioTruncatedError(
            f"{name}: {wanted / rate:.2f} s needed from {start / rate:.2f} s on, only {got / rate:.2f} s are there"
        )
    check_not_too_short(got, rate, name)


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
