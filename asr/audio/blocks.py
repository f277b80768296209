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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import soxr

from asr.audio.length import UNKNOWN_FROM
from asr.audio.load import check_finite, check_not_too_short, check_request, read_range, to_mono
from asr.audio.source import check_rate, name_of, open_recording
from asr.errors import AudioEmptyError, AudioTruncatedError

BLOCK_S = 1.0


def stream_audio(
    source: str | Path | BinaryIO,
    sample_rate: int = 16_000,
    *,
    offset_s: float = 0.0,
    duration_s: float | None = None,
    block_s: float = BLOCK_S,
) -> Iterator[np.ndarray]:
    """Yield ``load_audio(source, …)`` in blocks (n,) float32 of about ``block_s`` seconds.

    Arguments and errors are those of `load_audio`. Errors that only decoding can find (a truncated file, NaN samples)
    are raised when decoding reaches them, after the blocks before them.
    """
    name = name_of(source)
    check_request(name, sample_rate, offset_s, duration_s)
    with open_recording(source) as recording:
        rate = recording.samplerate
        most = max(round(block_s * rate), 1) * recording.channels
        blocks = read_range(recording, name, offset_s, duration_s, most)
        yield from Resampler(rate, sample_rate).over(check_finite(block, name) for block in blocks)


class Resampler:
    """A streaming `resample`: the same samples come out, however the input is cut into packets."""

    def __init__(self, from_rate: int, to_rate: int) -> None:
        """Resample from ``from_rate`` to ``to_rate``, both in Hz.

        Raises:
            SampleRateError: ``from_rate`` is outside 4 kHz to 384 kHz.
        """
        check_rate(from_rate, "samples")
        same = from_rate == to_rate
        self._stream = None if same else soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32")

    def accept(self, samples: np.ndarray) -> np.ndarray:
        """Resample a packet (n,) float32; return the samples (m,) that can be computed so far."""
        return samples if self._stream is None else self._stream.resample_chunk(samples)

    def finish(self) -> np.ndarray:
        """Return the last resampled samples (m,); no more packets may follow."""
        empty = np.empty(0, np.float32)
        return empty if self._stream is None else self._stream.resample_chunk(empty, last=True)

    def over(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield every block resampled, then the last samples; no block is empty."""
        for block in blocks:
            if len(out := self.accept(block)):
                yield out
        if len(rest := self.finish()):
            yield rest


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
        """Decode whole frames to the mean of their channels (n,) float32 in [-1, 1]."""
        if self.width == 3:
            triples = np.frombuffer(data, np.uint8).reshape(-1, 3)
            values = np.pad(triples, ((0, 0), (1, 0))).view("<i4")[:, 0] / np.float32(2**31)
        else:
            values = np.frombuffer(data, f"<{self.kind}{self.width}")
            top = np.float32(2 ** (8 * self.width - 1))
            values = values if self.kind == "f" else values / top - np.float32(self.kind == "u")
        return to_mono(values.astype(np.float32).reshape(-1, self.channels))


def stream_pipe(file: BinaryIO, sample_rate: int = 16_000, *, raw: PcmFormat | None = None) -> Iterator[np.ndarray]:
    """Yield samples (n,) float32 as the bytes of a pipe arrive, without waiting for its end.

    Args:
        file: a binary stream of a WAV with PCM or float samples; other formats are read to the end, then decoded.
        sample_rate: sample rate of the result, Hz.
        raw: the encoding of the samples, for a stream without a header.

    Raises:
        AudioEmptyError, AudioTooShortError: there are no bytes, or less than 25 ms of samples.
        AudioTruncatedError: the stream is shorter than its header says.
        AudioNotFiniteError, SampleRateError, AudioFormatError: as `load_audio`.
    """
    name = name_of(file)
    size: int | None = None
    if raw is None:
        head = _Head(file)
        found = _read_wav_head(head)
        if found is None:
            yield from stream_audio(_named(io.BytesIO(head.taken + file.read()), name), sample_rate)
            return
        raw, size = found
    check_request(name, sample_rate, 0.0, None)
    check_rate(raw.sample_rate, name)
    yield from Resampler(raw.sample_rate, sample_rate).over(_samples(file, raw, size, name))


def _samples(file: BinaryIO, form: PcmFormat, size: int | None, name: str) -> Iterator[np.ndarray]:
    """Yield blocks of samples as they arrive, from ``size`` bytes or to the end of the stream."""
    got, rest = 0, b""
    for data in _packets(file, form, size):
        got += len(data)
        data = rest + data
        whole = len(data) // form.frame_bytes * form.frame_bytes
        rest = data[whole:]
        if whole:
            yield check_finite(form.decode(data[:whole]), name)
    if got == 0:
        raise AudioEmptyError(f"{name}: the stream has no samples")
    if size is not None and got < size:
        raise AudioTruncatedError(f"{name}: the stream is {size - got} bytes shorter than its header says")
    check_not_too_short(got // form.frame_bytes, form.sample_rate, name)


def _packets(file: BinaryIO, form: PcmFormat, size: int | None) -> Iterator[bytes]:
    """Yield bytes as soon as they arrive, at most ``BLOCK_S`` at a time, up to ``size`` in all."""
    read = cast(io.BufferedReader, file).read1 if hasattr(file, "read1") else file.read
    most, got = round(BLOCK_S * form.sample_rate) * form.frame_bytes, 0
    while size is None or got < size:
        data = read(most if size is None else min(most, size - got))
        if not data:
            return
        got += len(data)
        yield data


class _Head:
    """A reader of a stream's first bytes that keeps them, so that another decoder can start over."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.taken = b""

    def read(self, count: int) -> bytes:
        """Read exactly ``count`` bytes, or fewer at the end of the stream."""
        data = b""
        while len(data) < count and (more := self._file.read(count - len(data))):
            data += more
        self.taken += data
        return data


def _read_wav_head(head: _Head) -> tuple[PcmFormat, int | None] | None:
    """Read a WAV header up to the first sample; return the format and the number of bytes of samples, None if unknown.

    Return None if the stream is not a WAV, or its samples are compressed.
    """
    start = head.read(12)
    if start[:4] != b"RIFF" or start[8:] != b"WAVE":
        return None
    form: PcmFormat | None = None
    while len(chunk := head.read(8)) == 8:
        kind, length = struct.unpack("<4sI", chunk)
        if kind == b"data":
            return None if form is None else (form, length if 0 < length < UNKNOWN_FROM else None)
        body = head.read(length + length % 2)
        if kind == b"fmt ":
            form = _pcm_format(body)
            if form is None:
                return None
    return None


def _pcm_format(fmt: bytes) -> PcmFormat | None:
    """Parse a fmt chunk of integers (1) or floats (3), plain or extensible (0xFFFE); return None for other formats."""
    if len(fmt) < 16:
        return None
    kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", fmt[:16])
    if kind == 0xFFFE and len(fmt) >= 26:
        (kind,) = struct.unpack("<H", fmt[24:26])
    letter = {(1, 8): "u", (1, 16): "i", (1, 24): "i", (1, 32): "i", (3, 32): "f", (3, 64): "f"}.get((kind, bits))
    return None if letter is None or not channels else PcmFormat(rate, channels, letter, bits // 8)


def _named(file: io.BytesIO, name: str) -> BinaryIO:
    file.name = name
    return file
