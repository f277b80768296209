r"""The length that a file's header states, compared with the length of the file.

libsndfile reads a truncated WAV or SPHERE file to its end without an error, so the stated length is read here:

    RIFF <size> WAVE                                   RIFF, RF64 (sizes in a ds64 chunk) or BW64
      ds64 <size> <riff size u64> <data size u64> …
      fmt  <size> …
      data <size> samples …                            a size of 0 or 0xFFFFFFFF: unknown, written to a pipe

    NIST_1A\n   1024\n                                 SPHERE: the header's own length, then its fields
    sample_count -i 16000\n channel_count -i 1\n sample_n_bytes -i 2\n … end_head\n

    OggS <version> <flags> <granule u64> … <n segments u8> <n lengths u8>   each page of Ogg

    ID3 … <size, 7 bits a byte> tags   MPEG frame, with "Xing" or "Info" and the number of frames inside: MP3

For FLAC and MP3, libsndfile's frame count is used; `load_audio` finds a truncated one by decoding.
"""

from __future__ import annotations

import os
import re
import struct
from typing import BinaryIO

from asr.errors import AudioTruncatedError

UNKNOWN_FROM = 0x7FFFF000
"""Sizes from here on mean unknown: programs that cannot seek back write them (sox, espeak, ffmpeg)."""

_OGG_PAGE_MAX = 27 + 255 + 255 * 255


def check_length(file: BinaryIO, name: str) -> None:
    """Check that a WAV, SPHERE or Ogg file is as long as its header states; other formats pass. Rewind ``file``.

    Raises:
        AudioTruncatedError: the file is shorter than its header states.
    """
    missing = _missing_bytes(file)
    file.seek(0)
    if missing > 0:
        raise AudioTruncatedError(
            f"{name}: the file is {missing} bytes shorter than its header says; copy or download it again"
        )


def _missing_bytes(file: BinaryIO) -> int:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    magic = file.read(12)
    if magic[:4] in (b"RIFF", b"RF64", b"BW64") and magic[8:12] in (b"WAVE", b""):
        return _missing_in_wav(file, size)
    if magic[:7] == b"NIST_1A":
        return _missing_in_sphere(file, size)
    return _missing_in_ogg(file, size) if magic[:4] == b"OggS" else 0


def _missing_in_wav(file: BinaryIO, size: int) -> int:
    data = find_data_chunk(file)
    if data is None:
        file.seek(4)
        promised = 8 + int.from_bytes(file.read(4), "little")
        return promised - size if promised < UNKNOWN_FROM else 0
    start, length = data
    return 0 if length >= UNKNOWN_FROM and not _has_ds64(file) else start + length - size


def find_data_chunk(file: BinaryIO) -> tuple[int, int] | None:
    """Find the samples of a WAV file: return their offset, and their size in bytes as the header states it."""
    long_length: int | None = None
    at = 12
    while True:
        file.seek(at)
        chunk = file.read(8)
        if len(chunk) < 8:
            return None
        kind, length = struct.unpack("<4sI", chunk)
        if kind == b"ds64":
            long_length = int.from_bytes(file.read(16)[8:], "little")
        if kind == b"data":
            return at + 8, long_length if long_length is not None and length == 0xFFFFFFFF else length
        at += 8 + length + length % 2


def _has_ds64(file: BinaryIO) -> bool:
    file.seek(12)
    return file.read(4) == b"ds64"


def is_unsized_wav(file: BinaryIO) -> bool:
    """Tell whether a WAV states 0 bytes of samples though bytes follow, and its RIFF size excludes them too.

    Such a header was never completed; libsndfile would read no samples. Rewind ``file``.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
    data = find_data_chunk(file) if head[:4] == b"RIFF" and head[8:] == b"WAVE" else None
    file.seek(0)
    riff_end = 8 + int.from_bytes(head[4:8], "little")
    unfinished = riff_end >= UNKNOWN_FROM or (data is not None and riff_end <= data[0])
    return data is not None and data[1] == 0 and size > data[0] and unfinished


def _missing_in_sphere(file: BinaryIO, size: int) -> int:
    file.seek(0)
    head = file.read(1024)
    fields = dict(re.findall(rb"^(\w+) -\S+ (.+?)\s*$", head, re.MULTILINE))
    if b"embedded" in fields.get(b"sample_coding", b""):
        return 0
    names = (b"sample_count", b"channel_count", b"sample_n_bytes")
    count, channels, width = (_whole_number(fields.get(name, b"")) for name in names)
    return _whole_number(head[8:16]) + count * max(channels, 1) * width - size


def _whole_number(text: bytes) -> int:
    return int(text) if text.strip().isdigit() else 0


def _missing_in_ogg(file: BinaryIO, size: int) -> int:
    """Count the missing bytes of the last page; a stream may lack the end-of-stream flag (RFC 7845, section 4)."""
    file.seek(max(0, size - _OGG_PAGE_MAX))
    tail = file.read()
    page = tail[tail.rfind(b"OggS\0") :]
    if len(page) < 27:
        return 27 - len(page)
    lengths = page[27 : 27 + page[26]]
    return 27 + page[26] + sum(lengths) - len(page)


def promises_length(file: BinaryIO) -> bool:
    """Tell whether the header states the length: an MP3 needs a Xing frame, a FLAC may leave it 0. Rewind ``file``."""
    file.seek(0)
    head = file.read(26)
    file.seek(_id3_length(head))
    frame = file.read(256)
    file.seek(0)
    if head[:4] == b"fLaC":
        return int.from_bytes(head[18:26], "big") % (1 << 36) > 0
    is_mpeg = len(frame) > 1 and frame[0] == 0xFF and frame[1] >= 0xE0
    return not is_mpeg or b"Xing" in frame or b"Info" in frame


def _id3_length(head: bytes) -> int:
    return 10 + sum(byte << 7 * (3 - i) for i, byte in enumerate(head[6:10])) if head[:3] == b"ID3" else 0
