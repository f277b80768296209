r"""A recording block by block, in memory that does not grow with it; and a pipe as its bytes come.

A WAV that is written to a pipe begins as a file does, with sizes nobody knows yet:

    RIFF <size> WAVE
      fmt  <size> <kind u16> <channels u16> <rate u32> <bytes a second u32> <bytes a frame u16> <bits u16> …
      LIST <size> …                          anything else, skipped
      data <size> samples …                  a size of 0 or from 0x7FFFF000 on: until the pipe ends
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

    Arguments and errors are `load_audio`'s. What only decoding shows (a cut file, NaN samples) is raised when it is
    met, after the blocks before it.
    """
    name = name_of(source)
    check_request(name, sample_rate, offset_s, duration_s)
    with open_recording(source) as recording:
        rate = recording.samplerate
        most = max(round(block_s * rate), 1) * recording.channels
        blocks = read_range(recording, name, offset_s, duration_s, most)
        yield from Resampler(rate, sample_rate).over(check_finite(block, name) for block in blocks)


class Resampler:
    """`resample` for samples that come in packets: sample for sample the same, however they are parted."""

    def __init__(self, from_rate: int, to_rate: int) -> None:
        """Rates in Hz.

        Raises:
            SampleRateError: ``from_rate`` is outside 4 kHz to 384 kHz.
        """
        check_rate(from_rate, "samples")
        same = from_rate == to_rate
        self._stream = None if same else soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32")

    def accept(self, samples: np.ndarray) -> np.ndarray:
        """Samples (n,) float32 → those (m,) that can be computed so far."""
        return samples if self._stream is None else self._stream.resample_chunk(samples)

    def finish(self) -> np.ndarray:
        """What is left once no more samples come."""
        empty = np.empty(0, np.float32)
        return empty if self._stream is None else self._stream.resample_chunk(empty, last=True)

    def over(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield every block resampled, then the rest; nothing empty."""
        for block in blocks:
            if len(out := self.accept(block)):
                yield out
        if len(rest := self.finish()):
            yield rest


# Pipes


@dataclass(frozen=True)
class PcmFormat:
    """How samples lie in bytes: little-endian, channels side by side.

    ``kind`` is numpy's letter: ``u`` unsigned, ``i`` signed, ``f`` float; ``width`` bytes a sample.
    """

    sample_rate: int
    channels: int = 1
    kind: str = "i"
    width: int = 2

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return self.channels * self.width

    def decode(self, data: bytes) -> np.ndarray:
        """Whole frames of bytes → their channels' mean (n,) float32 in [-1, 1]."""
        if self.width == 3:
            triples = np.frombuffer(data, np.uint8).reshape(-1, 3)
            values = np.pad(triples, ((0, 0), (1, 0))).view("<i4")[:, 0] / np.float32(2**31)
        else:
            values = np.frombuffer(data, f"<{self.kind}{self.width}")
            top = np.float32(2 ** (8 * self.width - 1))
            values = values if self.kind == "f" else values / top - np.float32(self.kind == "u")
        return to_mono(values.astype(np.float32).reshape(-1, self.channels))


def stream_pipe(file: BinaryIO, sample_rate: int = 16_000, *, raw: PcmFormat | None = None) -> Iterator[np.ndarray]:
    """Yield samples (n,) float32 as the bytes of a pipe come, not waiting for its end.

    Args:
        file: a binary stream of a WAV with plain samples; anything else is read whole first and then decoded.
        sample_rate: Hz of the result.
        raw: how the samples lie, of a stream without any header.

    Raises:
        AudioEmptyError, AudioTooShortError: no bytes, or less than 25 ms.
        AudioTruncatedError: the stream ends before its header says.
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
    """Yield blocks as they come, ``size`` bytes or to the end."""
    got, rest = 0, b""
    for data in _packets(file, form, size):
        got += len(data)
        data = rest + data
        whole = len(data) // form.frame_bytes * form.frame_bytes
        rest = data[whole:]
        if whole:
            yield check_finite(form.decode(data[:whole]), name)
    if got == 0:
        raise AudioEmptyError(f"{name}: no samples came")
    if size is not None and got < size:
        raise AudioTruncatedError(f"{name}: the stream ended {size - got} bytes before its header says")
    check_not_too_short(got // form.frame_bytes, form.sample_rate, name)


def _packets(file: BinaryIO, form: PcmFormat, size: int | None) -> Iterator[bytes]:
    """Yield bytes as soon as there are any, at most ``BLOCK_S`` at a time, up to ``size``."""
    read = cast(io.BufferedReader, file).read1 if hasattr(file, "read1") else file.read
    most, got = round(BLOCK_S * form.sample_rate) * form.frame_bytes, 0
    while size is None or got < size:
        data = read(most if size is None else min(most, size - got))
        if not data:
            return
        got += len(data)
        yield data


class _Head:
    """Reads the first bytes of a stream and keeps them, for whoever begins anew."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.taken = b""

    def read(self, count: int) -> bytes:
        """Exactly ``count`` bytes, fewer only at the end."""
        data = b""
        while len(data) < count and (more := self._file.read(count - len(data))):
            data += more
        self.taken += data
        return data


def _read_wav_head(head: _Head) -> tuple[PcmFormat, int | None] | None:
    """The format and the bytes of samples (None: unknown); ``file`` then stands at the first sample.

    None is no WAV, or one whose samples are not plain numbers.
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
    """The fmt chunk, where it says integers (1) or floats (3), directly or as the extensible kind (0xFFFE)."""
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
