"""Any recording → samples (N,) float32, one channel, one rate."""

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
"""One analysis window: less than this has no features."""

_BLOCK = 1 << 18
"""Samples decoded at a time, of all channels together."""

_SLACK_S = 0.1
"""How far before the promised end a recording may end: manifests and MP3 headers round durations."""


def load_audio(
    source: str | Path | BinaryIO,
    sample_rate: int = 16_000,
    *,
    offset_s: float = 0.0,
    duration_s: float | None = None,
) -> np.ndarray:
    """Decode ``source`` to samples (N,) float32 in about [-1, 1], channels averaged, resampled by soxr (HQ).

    Args:
        source: a path, or a binary file object (one that cannot seek is read whole).
        sample_rate: Hz of the result.
        offset_s: where to start, seconds.
        duration_s: how much to read, seconds; to the end when None.

    Raises:
        AudioNotFoundError, AudioIsFolderError, AudioPermissionError: the path cannot be opened.
        AudioEmptyError: no bytes, or no samples.
        AudioFormatError: not audio, or of a kind that libsndfile does not decode.
        AudioTruncatedError: the file ends, or stops decoding, before its header or the range says.
        AudioNotFiniteError: NaN or infinite samples.
        AudioTooShortError: less than ``MINIMUM_S`` = 25 ms, one analysis window, in the file or the range.
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
    """``samples``, every one a number.

    Raises:
        AudioNotFiniteError: some are NaN or infinite.
    """
    if not np.isfinite(samples).all():
        bad = int(np.count_nonzero(~np.isfinite(samples)))
        raise AudioNotFiniteError(f"{name}: {bad} of {len(samples)} samples are NaN or infinite; encode it again")
    return samples


def resample(samples: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """Samples (N,) float32 at ``from_rate`` Hz → (round(N · to/from),) at ``to_rate`` Hz."""
    if from_rate == to_rate:
        return samples
    return np.asarray(soxr.resample(samples, from_rate, to_rate), dtype=np.float32)


def check_request(name: str, sample_rate: int, offset_s: float, duration_s: float | None) -> None:
    """Refuse a rate or a range that no recording has.

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
    """Yield the samples of a range as mono blocks (n,) float32, ``most`` values of all channels together in each.

    Raises:
        AudioTruncatedError: the range, or the file, ends early or stops decoding; what came before was yielded.
        AudioTooShortError: all of it was less than 25 ms.
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
    """Yield mono blocks (n,) float32 from where ``recording`` stands, ``wanted`` samples or to the end.

    ``SoundFile.blocks`` would repeat stale samples after a short read; ``read`` returns what was read.
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
    """Channels (n, C) → their mean (n,)."""
    if block.shape[1] == 1:
        return block[:, 0]
    with np.errstate(invalid="ignore", over="ignore"):  # infinite samples are reported, not warned of
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
    """Refuse less than one analysis window.

    Raises:
        AudioTooShortError: ``got`` samples at ``rate`` Hz last less than 25 ms.
    """
    if got < MINIMUM_S * rate:
        raise AudioTooShortError(
            f"{name}: {got} samples at {rate} Hz last {1000 * got / rate:.0f} ms; "
            f"at least {1000 * MINIMUM_S:.0f} ms are needed"
        )
