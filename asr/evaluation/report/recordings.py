"""Recordings in the page: Ogg Opus (RFC 7845), one channel, 16 kHz, about 29 kbit/s, as data: URIs (RFC 2397)."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import soundfile

from asr.audio import load_audio
from asr.errors import AudioError

RATE = 16_000
"""Sample rate of the recordings in the page, Hz."""

BUDGET = 15_000_000
"""Largest number of characters of all recordings in a page, if their number is not given."""

_TOGETHER = 16


class RecordingSpan(Protocol):
    """The span of a recording that holds an utterance: an ``asr.data.Utterance``."""

    @property
    def id(self) -> str:
        """The id, unique in the test set."""

    @property
    def audio_filepath(self) -> str:
        """The path of the recording."""

    @property
    def offset(self) -> float:
        """The start of the utterance in the recording, in seconds."""

    @property
    def duration(self) -> float:
        """The length of the utterance in seconds."""


def embed_recordings(spans: Sequence[RecordingSpan], count: int | None = None) -> Iterator[tuple[str, str]]:
    """Yield id and data: URI of the first ``count`` readable recordings; if None, of as many as fit ``BUDGET``."""
    found, used = 0, 0
    for name, uri in _encoded(spans if count != 0 else ()):
        used += len(uri)
        if count is None and used > BUDGET:
            return
        yield name, uri
        found += 1
        if found == count:
            return


def _encoded(spans: Sequence[RecordingSpan]) -> Iterator[tuple[str, str]]:
    """Yield readable recordings in order; they are encoded a few at a time, at a hundredth of real time."""
    with ThreadPoolExecutor() as pool:
        for at in range(0, len(spans), _TOGETHER):
            some = spans[at : at + _TOGETHER]
            for span, uri in zip(some, pool.map(_uri_of, some), strict=True):
                if uri is not None:
                    yield span.id, uri


def _uri_of(span: RecordingSpan) -> str | None:
    try:
        return data_uri(load_audio(span.audio_filepath, RATE, offset_s=span.offset, duration_s=span.duration))
    except AudioError:
        return None


def data_uri(samples: np.ndarray) -> str:
    """Encode samples (N,) float32 at ``RATE`` as a URI that browsers play; equal samples give equal URIs."""
    file = io.BytesIO()
    soundfile.write(file, np.clip(samples, -1, 1), RATE, format="OGG", subtype="OPUS")
    return "data:audio/ogg;base64," + base64.b64encode(_unnumbered(file.getvalue())).decode("ascii")


# A page of an Ogg stream (RFC 3533, section 6): "OggS", version, flags, position (8 bytes), serial number of the
# stream (4, drawn at random by libsndfile), page number (4), CRC (4), count of segments, their lengths, the segments.
_SERIAL, _CRC, _SEGMENTS = slice(14, 18), slice(22, 26), 26


def _unnumbered(stream: bytes) -> bytes:
    """Return the stream with serial number 0 in each Ogg page, so that equal samples give equal bytes."""
    return b"".join(_numbered_zero(page) for page in _pages(stream))


def _pages(stream: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(stream):
        lengths_at = start + _SEGMENTS + 1
        lengths = stream[lengths_at : lengths_at + stream[start + _SEGMENTS]]
        end = lengths_at + len(lengths) + sum(lengths)
        yield stream[start:end]
        start = end


def _numbered_zero(page: bytes) -> bytes:
    changed = bytearray(page)
    changed[_SERIAL] = changed[_CRC] = bytes(4)
    changed[_CRC] = _crc(bytes(changed)).to_bytes(4, "little")
    return bytes(changed)


_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_ONES = 0xFFFFFFFF


def _crc(page: bytes) -> int:
    """Compute Ogg's checksum: zlib's polynomial with reversed bits, initial value 0 and no final inversion."""
    mirrored = zlib.crc32(page.translate(_MIRRORED), _ONES) ^ _ONES
    return int(f"{mirrored:032b}"[::-1], 2)
