"""Recordings that the tests of this room make: by soundfile, or by hand where it cannot."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import soundfile

RATE = 16_000


def syllables(seconds: float, seed: int = 0, rate: int = RATE) -> np.ndarray:
    """Noise that swells and fades four times a second, as speech does: (N,) float32."""
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).uniform(-0.5, 0.5, len(time))
    smooth = np.convolve(noise, np.hanning(9) / 4, "same")
    return (smooth * (0.05 + np.sin(4 * np.pi * time) ** 2)).astype(np.float32)


def encoded(samples: np.ndarray, kind: str, rate: int = RATE, **more: object) -> bytes:
    """A file in memory; ``kind`` is soundfile's format, or format and subtype with a space between."""
    form, _, subtype = kind.partition(" ")
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=form, subtype=subtype or None, **more)
    return file.getvalue()


# Ogg


def pages(data: bytes) -> list[tuple[int, int]]:
    """(start, stop) of each page of an undamaged Ogg file."""
    found, at = [], 0
    while at < len(data):
        segments = data[at + 26]
        stop = at + 27 + segments + sum(data[at + 27 : at + 27 + segments])
        found.append((at, stop))
        at = stop
    return found


def ogg_checksum(page: bytes) -> int:
    """Bit by bit, as RFC 3533 has it."""
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value >> 31 else 0)) & 0xFFFFFFFF
    return value


# MP3


def mp3_frames(data: bytes) -> list[tuple[int, int]]:
    """(start, stop) of each frame of an undamaged MP3 of 16 kHz, the one that states their number first."""
    kbps = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
    found, at = [], 0
    while at + 4 <= len(data):
        stop = at + 72 * kbps[data[at + 2] >> 4] * 1000 // RATE + (data[at + 2] >> 1 & 1)
        found.append((at, stop))
        at = stop
    return found


# FLAC, whose frames are written here as they are: soundfile writes no 12 or 20 bits


def flac(
    samples: Sequence[int], bits: int, size: int = 576, total: int | None = None, coded_bits: bool = True
) -> bytes:
    """A FLAC of one channel and uncompressed frames at 16 kHz; ``coded_bits``: frames say their bits themselves."""
    fields = RATE << 44 | 0 << 41 | (bits - 1) << 36 | len(samples)
    info = size.to_bytes(2, "big") * 2 + bytes(6) + fields.to_bytes(8, "big") + bytes(16)
    frames = [_flac_frame(samples[i : i + size], i // size, bits, coded_bits) for i in range(0, len(samples), size)]
    return b"fLaC\x80\0\0\x22" + info + b"".join(frames)


def _flac_frame(samples: Sequence[int], number: int, bits: int, coded_bits: bool) -> bytes:
    code = {8: 1, 12: 2, 16: 4, 20: 5, 24: 6}[bits] if coded_bits else 0
    head = bytes((0xFF, 0xF8, 7 << 4 | 5, code << 1)) + chr(number).encode() + (len(samples) - 1).to_bytes(2, "big")
    head += _crc(head, 0x07, 8)
    packed = 1 << 1  # a subframe of uncompressed samples
    for sample in samples:
        packed = packed << bits | sample & ((1 << bits) - 1)
    padding = -(8 + bits * len(samples)) % 8
    frame = head + (packed << padding).to_bytes((8 + bits * len(samples) + padding) // 8, "big")
    return frame + _crc(frame, 0x8005, 16)


def _crc(data: bytes, polynomial: int, bits: int) -> bytes:
    value = 0
    for byte in data:
        value ^= byte << (bits - 8)
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> (bits - 1) & 1 else 0)
        value &= (1 << bits) - 1
    return value.to_bytes(bits // 8, "big")


# Damage


def flip(data: bytearray, at: int) -> bytes:
    """Turn one bit over."""
    data[at] ^= 1 << at % 8
    return bytes(data)


def zero(data: bytearray, at: int) -> bytes:
    """Overwrite a sector of 4 kB by zeros."""
    data[at : at + 4096] = bytes(len(data[at : at + 4096]))
    return bytes(data)


def cut(data: bytearray, at: int) -> bytes:
    """Leave the beginning."""
    return bytes(data[:at])


# Pipes


class Pipe(io.RawIOBase):
    """Gives ``step`` bytes a read, as a pipe does whose other end writes slowly; cannot seek."""

    def __init__(self, data: bytes, step: int) -> None:
        self.data, self.step, self.given = data, step, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        part = self.data[self.given : self.given + min(self.step, len(buffer))]
        buffer[: len(part)] = part
        self.given += len(part)
        return len(part)


def pipe(data: bytes, step: int = 1001) -> io.BufferedReader:
    return io.BufferedReader(Pipe(data, step), buffer_size=step)
