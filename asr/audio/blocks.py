r"""Streaming of a recording block by block in constant memory, and of a pipe as its bytes arrive.

A WAV that is written to a pipe begins like a file, but its sizes are not yet known:

    RIFF <size> WAVE
      fmt  <size> <kind u16> <channels u16> <rate u32> <bytes a second u32> <bytes a frame u16> <bits u16> …
      LIST <size> …                          anything else, skipped
      data <size> samples …                  a size of 0, or from 0x7FFFF000 on, means until the pipe ends
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from asr.audio.channels import Mixer, cancelled
from asr.audio.containers.riff import MAX_CHUNKS, UNKNOWN_FROM, looks_like_chunk
from asr.audio.load import check_finite, check_not_too_short, check_request, read_range
from asr.audio.recording import KEEP, Recording, warn
from asr.audio.resampling import Resampler, check_rate
from asr.audio.source import name_of, open_recording
from asr.errors import AudioEmptyError, AudioFormatError, AudioTruncatedError

BLOCK_S = 1.0

MAX_CHANNELS = 1024
"""Channels that are read at most, as libsndfile does."""

_AT_ONCE, _MAX_HEAD = 1 << 20, 1 << 26
"""Bytes of a pipe that are read at once, and of its header before the samples at most."""


def stream_audio(
    source: str | Path | BinaryIO,
    sample_rate: int = 16_000,
    *,
    offset_s: float = 0.0,
    duration_s: float | None = None,
    block_s: float = BLOCK_S,
    salvage: bool = False,
) -> Iterator[np.ndarray]:
    """Yield ``load_audio(source, …)`` in blocks (n,) float32 of about ``block_s`` seconds.

    Arguments and errors are those of `load_audio`. Errors that only decoding can find (a truncated file, NaN samples)
    are raised when decoding reaches them, after the blocks before them.
    """
    check_request(name_of(source), sample_rate, offset_s, duration_s)
    with open_recording(source, salvage) as recording:
        yield from _stream(recording, sample_rate, offset_s, duration_s, block_s)


def _stream(
    recording: Recording, sample_rate: int, offset_s: float, duration_s: float | None, block_s: float
) -> Iterator[np.ndarray]:
    rate = recording.sample_rate
    most = max(round(block_s * rate), 1) * recording.channels
    blocks = read_range(recording, offset_s, duration_s, most)
    yield from Resampler(rate, sample_rate).over(check_finite(block, recording.name) for block in blocks)


# Pipes


@dataclass(frozen=True)
class PcmFormat:
    """The encoding of uncompressed samples: little-endian, channels interleaved.

    ``kind`` is numpy's letter: ``u`` unsigned, ``i`` signed, ``f`` float; ``width`` is the number of bytes a sample.
    """

    sample_rate: int
    channels: int = 1
    kind: str = "i"
    width: int = 2

    @property
    def frame_bytes(self) -> int:
        """The number of bytes of a frame, which has one sample of every channel."""
        return self.channels * self.width

    def decode(self, data: bytes) -> np.ndarray:
        """Decode whole frames to samples (n, C) float32 in [-1, 1]."""
        if self.width == 3:
            triples = np.frombuffer(data, np.uint8).reshape(-1, 3)
            values = np.pad(triples, ((0, 0), (1, 0))).view("<i4")[:, 0] / np.float32(2**31)
        else:
            values = np.frombuffer(data, f"<{self.kind}{self.width}")
            top = np.float32(2 ** (8 * self.width - 1))
            values = values if self.kind == "f" else values / top - np.float32(self.kind == "u")
        return values.astype(np.float32).reshape(-1, self.channels)


def stream_pipe(
    file: BinaryIO, sample_rate: int = 16_000, *, raw: PcmFormat | None = None, salvage: bool = False
) -> Iterator[np.ndarray]:
    """Yield samples (n,) float32 as the bytes of a pipe arrive, without waiting for its end.

    Args:
        file: a binary stream of a WAV with PCM or float samples; other formats are read to the end, then decoded.
        sample_rate: sample rate of the result, Hz.
        raw: the encoding of the samples, for a stream without a header.
        salvage: keep what is good of a stream that is cut or damaged, as `load_audio`.

    Raises:
        AudioEmptyError, AudioTooShortError: there are no bytes, or less than 25 ms of samples.
        AudioTruncatedError: the stream is shorter than its header says.
        AudioNotFiniteError, SampleRateError, AudioFormatError: as `load_audio`.
    """
    name = name_of(file)
    check_request(name, sample_rate, 0.0, None)
    size: int | None = None
    if raw is None:
        head = _Head(file, name)
        found = _read_wav_head(head)
        if found is None:
            with open_recording(file, salvage, bytes(head.taken)) as recording:
                yield from _stream(recording, sample_rate, 0.0, None, BLOCK_S)
            return
        raw, size = found
    check_rate(raw.sample_rate, name)
    if raw.channels > MAX_CHANNELS:
        raise AudioFormatError(f"{name}: {raw.channels} channels; at most {MAX_CHANNELS} can be read")
    mixer = Mixer(raw.sample_rate, raw.channels)
    samples = (check_finite(block, name) for block in mixer.over(_samples(file, raw, size, name, salvage)))
    yield from Resampler(raw.sample_rate, sample_rate).over(samples)
    if mixer.cancelled:
        warn(name, cancelled(mixer.cancelled / raw.sample_rate))


def _samples(file: BinaryIO, form: PcmFormat, size: int | None, name: str, salvage: bool) -> Iterator[np.ndarray]:
    """Yield blocks (n, C) of samples as they arrive, from ``size`` bytes or to the end of the stream."""
    got, held, second = 0, bytearray(), form.sample_rate * form.frame_bytes
    for data in _packets(file, form, size):
        got += len(data)
        held += data
        if whole := len(held) // form.frame_bytes * form.frame_bytes:
            yield form.decode(bytes(held[:whole]))
            del held[:whole]
    if got == 0:
        raise AudioEmptyError(f"{name}: the stream has no samples")
    check_not_too_short(got // form.frame_bytes, form.sample_rate, name)
    if size is None:
        return
    if got < size:
        missing = f"{name}: {got / second:.2f} of {size / second:.2f} s came, then the stream ended"
        if not salvage:
            raise AudioTruncatedError(f"{missing}; {KEEP}")
        warn(name, f"{(size - got) / second:.2f} of {size / second:.2f} s are missing: the stream ended before them")
    elif unread := _unread(file, size):
        warn(name, f"{unread / second:.2f} s after the end that its header says were not read")


def _packets(file: BinaryIO, form: PcmFormat, size: int | None) -> Iterator[bytes]:
    """Yield bytes as soon as they arrive, at most ``BLOCK_S`` and a megabyte at a time, up to ``size`` in all."""
    read = cast(io.BufferedReader, file).read1 if hasattr(file, "read1") else file.read
    most = max(min(round(BLOCK_S * form.sample_rate), _AT_ONCE // form.frame_bytes), 1) * form.frame_bytes
    got = 0
    while size is None or got < size:
        data = read(most if size is None else min(most, size - got))
        if not data:
            return
        got += len(data)
        yield data


def _unread(file: BinaryIO, size: int) -> int:
    """Return how many bytes follow the samples that are neither a chunk nor zeros."""
    begin = file.read(size % 2 + 4)
    if any(looks_like_chunk(name) for name in (begin[-4:], begin[:4]) if len(name) == 4):
        return 0
    count, is_zero = len(begin), not any(begin)
    while data := file.read(_AT_ONCE):
        count += len(data)
        is_zero = is_zero and not any(data)
    return 0 if is_zero else count


class _Head:
    """A reader of a stream's first bytes that keeps them, so that another decoder can start over."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self.name = name
        self.taken = bytearray()

    def read(self, count: int) -> bytes:
        """Read exactly ``count`` bytes, or fewer at the end of the stream."""
        start = len(self.taken)
        if start + count > _MAX_HEAD:
            raise AudioFormatError(f"{self.name}: {start + count:,} bytes of header; convert it to WAV or FLAC")
        while (left := start + count - len(self.taken)) > 0 and (more := self._file.read(left)):
            self.taken += more
        return bytes(self.taken[start:])


def _read_wav_head(head: _Head) -> tuple[PcmFormat, int | None] | None:
    """Read a WAV header up to the first sample; return the format and the number of bytes of samples, None if unknown.

    Return None if the stream is not a WAV, or its samples are compressed.

    Raises:
        AudioFormatError: no samples come.
    """
    start = head.read(12)
    if start[:4] != b"RIFF" or start[8:] != b"WAVE":
        return None
    form: PcmFormat | None = None
    for _ in range(MAX_CHUNKS):
        if len(chunk := head.read(8)) < 8:
            return None
        kind, length = struct.unpack("<4sI", chunk)
        if kind == b"data":
            return None if form is None else (form, length if 0 < length < UNKNOWN_FROM else None)
        body = head.read(length + length % 2)
        if kind == b"fmt ":
            form = _pcm_format(body)
            if form is None:
                return None
    raise AudioFormatError(f"{head.name}: no samples within {MAX_CHUNKS} chunks; convert it to WAV or FLAC")


def _pcm_format(fmt: bytes) -> PcmFormat | None:
    """Parse a fmt chunk of integers (1) or floats (3), plain or extensible (0xFFFE); return None for other formats."""
    if len(fmt) < 16:
        return None
    kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", fmt[:16])
    if kind == 0xFFFE and len(fmt) >= 26:
        (kind,) = struct.unpack("<H", fmt[24:26])
    letter = {(1, 8): "u", (1, 16): "i", (1, 24): "i", (1, 32): "i", (3, 32): "f", (3, 64): "f"}.get((kind, bits))
    return None if letter is None or not channels else PcmFormat(rate, channels, letter, bits // 8)
