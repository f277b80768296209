r"""FLAC: a header with the count of samples, then frames that each carry a position and two checksums (RFC 9639).

::

    fLaC  <last u1, kind u7, size u24> block …         the first block is STREAMINFO:
      <least, most samples a frame u16> <least, most bytes a frame u24>
      <rate u20> <channels - 1 u3> <bits - 1 u5> <samples in all u36, 0 unknown> <MD5>
    frame: 0xFF 0xF8|s  <size code u4, rate code u4> <channels u4, bits code u3, 0> <number> … <CRC-8> … <CRC-16>
      s       0: the number counts frames of one size, 1: it counts samples
      number  1 to 7 bytes as UTF-8 codes a character

libsndfile stops for good at the first damaged frame. It refuses 12 and 20 bits a sample by the header alone, and
decodes them well when the header says 16 or 24, as each frame says its bits itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np

from asr.audio.containers.contents import Contents, Part, count
from asr.audio.containers.tags import before_tags
from asr.audio.containers.window import Window

_TAIL, _MAX_TAIL, _TAGS = 1 << 16, 1 << 23, 1 << 10
"""Bytes at the end in which the last two frames are sought: usually, at most, and beside frames whose size is known."""

_READ_BITS = (8, 16, 24)
_BITS = {1: 8, 2: 12, 4: 16, 5: 20, 6: 24, 7: 32}
_SIZES = {1: 192} | {code: 144 << code for code in range(2, 6)} | {code: 1 << code for code in range(8, 16)}
_TOTAL = (1 << 36) - 1
_TRIED = 100
"""Frames that are looked at where the first is damaged."""

_TOGETHER = 1 << 23
"""Bytes of frames whose checksums are computed side by side."""


@dataclass(frozen=True)
class _Header:
    """STREAMINFO at an offset, and where the frames begin."""

    at: int
    frames_at: int
    sizes: tuple[int, int]
    frame_bytes: int
    rate: int
    channels: int
    bits: int
    total: int


@dataclass(frozen=True)
class _Frame:
    """A frame: offset, position in samples, count of samples, and the bytes that all frames of a stream share."""

    at: int
    first: int
    size: int
    common: tuple[int, int, int]

    @property
    def end(self) -> int:
        """The position in samples after the frame."""
        return self.first + self.size


def read(window: Window, start: int, thorough: bool) -> Contents:
    """Compare the count of samples that STREAMINFO states with the last frame's position.

    Args:
        window: the file.
        start: the offset of ``fLaC``.
        thorough: look at all frames, and leave out those whose checksum is wrong.
    """
    header = _header(window, start)
    if header is None or header.rate == 0:
        return Contents()
    first = _first_frame(window, header)
    if header.bits not in _READ_BITS and (first is None or not _can_stand_for(header.bits, first)):
        return Contents(refusal=f"FLAC of {header.bits} bits a sample; 8, 12, 16, 20 and 24 bits can be read")
    if first is None or _has_mixed_sizes(header, first):
        return _whole(header, window, header.total)
    if thorough and (found := _runs(window, header, first)) is not None:
        return found
    last = _last_frame(window, header, first)
    held = header.total if last is None else last.end - first.first
    if header.total == 0 or held == header.total:
        return _whole(header, window, held)
    length, seconds = header.total / header.rate, held / header.rate
    if held < header.total:
        parts = _whole(header, window, header.total).parts
        cut = last.size / header.rate if last else 0.0
        return Contents(parts, length, length - seconds + cut, ("its last frames are missing or damaged",))
    note = f"its header says {length:.2f} s; all {seconds:.2f} s were read"
    return Contents(_whole(header, window, held).parts, seconds, notes=(note,))


def _can_stand_for(bits: int, frame: _Frame) -> bool:
    """Tell whether libsndfile decodes a stream of ``bits`` a sample once its header says more: its frames say bits."""
    return bits < _READ_BITS[-1] and _BITS.get(frame.common[2] >> 1) == bits


def _has_mixed_sizes(header: _Header, frame: _Frame) -> bool:
    """Tell whether frames are counted though their sizes differ: they do not say where they are then."""
    return not frame.common[0] & 1 and header.sizes[0] != header.sizes[1]


def _header(window: Window, start: int) -> _Header | None:
    head = window.get(start, start + 42)
    if len(head) < 42 or head[4] & 0x7F:
        return None
    at, is_last = start + 4, False
    while not is_last:
        block = window.get(at, at + 4)
        if len(block) < 4:
            return None
        is_last = block[0] >= 128
        at += 4 + int.from_bytes(block[1:], "big")
    fields = int.from_bytes(head[18:26], "big")
    sizes = int.from_bytes(head[8:10], "big"), int.from_bytes(head[10:12], "big")
    frame_bytes = int.from_bytes(head[15:18], "big")
    rate, channels, bits = fields >> 44, (fields >> 41 & 7) + 1, (fields >> 36 & 31) + 1
    return _Header(start, at, sizes, frame_bytes, rate, channels, bits, fields & _TOTAL)


def _whole(header: _Header, window: Window, total: int) -> Contents:
    """Return a whole stream of ``total`` samples, as it is where its header need not change for libsndfile."""
    length = total / header.rate if total else None
    if header.bits in _READ_BITS and total == header.total:
        return Contents(length_s=length, states_length=total > 0)
    return Contents(
        (Part((_head(header, window, total), (header.frames_at, window.size))),), length, states_length=total > 0
    )


def _head(header: _Header, window: Window, total: int) -> bytes:
    """Return a header of STREAMINFO alone with another count of samples, and bits that libsndfile reads."""
    bits = min(known for known in _READ_BITS if known >= header.bits)
    fields = header.rate << 44 | (header.channels - 1) << 41 | (bits - 1) << 36 | total
    stated = window.get(header.at, header.at + 42)
    return b"fLaC\x80" + stated[5:18] + fields.to_bytes(8, "big") + bytes(16)


# Frames


def _frame_at(data: bytes, at: int, base: int, header: _Header) -> _Frame | None:
    """Parse the frame header at ``data[at:]``, which is at offset ``base`` of the file; None if there is none."""
    if len(data) < at + 6 or data[at] != 0xFF or data[at + 1] & 0xFE != 0xF8:
        return None
    size_code, rate_code = data[at + 2] >> 4, data[at + 2] & 15
    if size_code == 0 or rate_code == 15 or data[at + 3] & 1 or data[at + 3] >> 4 > 10:
        return None
    coded = _coded_number(data, at + 4)
    if coded is None:
        return None
    number, stop = coded
    extra = {6: 1, 7: 2}.get(size_code, 0)
    size = int.from_bytes(data[stop : stop + extra], "big") + 1 if extra else _SIZES[size_code]
    stop += extra + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if stop >= len(data) or _crc8(data[at:stop]) != data[stop]:
        return None
    first = number if data[at + 1] & 1 else number * header.sizes[1]
    return _Frame(base, first, size, (data[at + 1], rate_code, data[at + 3] & 15))


def _coded_number(data: bytes, at: int) -> tuple[int, int] | None:
    """Decode a number coded as UTF-8 codes characters, up to 36 bits: return it and where it ends."""
    lead = data[at]
    if lead < 0x80:
        return lead, at + 1
    more = next((n for n in range(1, 7) if lead >> (6 - n) == (1 << (n + 2)) - 2), 0)
    rest = data[at + 1 : at + 1 + more]
    if not more or len(rest) < more or any(byte >> 6 != 2 for byte in rest):
        return None
    number = lead & ((1 << (6 - more)) - 1)
    for byte in rest:
        number = number << 6 | byte & 63
    return number, at + 1 + more


def _first_frame(window: Window, header: _Header) -> _Frame | None:
    """Return the first frame; where it is damaged, one at its place that is like the first two in a row."""
    at = header.frames_at
    first = _frame_at(window.get(at, at + 32), 0, at, header)
    if first is not None:
        return first
    for strategy in (0xF8, 0xF9):
        like = _Frame(at, 0, 0, (strategy, -1, -1))
        for a, b in pairwise(islice(_frames(window, header, like, at), _TRIED)):
            if a.end == b.first and a.common == b.common:
                return _Frame(at, 0, 0, a.common)
    return None


def _frames(window: Window, header: _Header, like: _Frame, start: int) -> Iterator[_Frame]:
    """Yield what looks like a frame of this stream from an offset on; its header has a checksum of 8 bits."""
    sync = bytes((0xFF, like.common[0]))
    any_codes = like.common[1] < 0
    at = window.find(sync, start)
    while at >= 0:
        data, base = window.around(at, 32)
        found = _frame_at(data, at - base, at, header)
        if found is not None and (any_codes or found.common == like.common) and found.first >= like.first:
            yield found
        at = window.find(sync, at + 1)


def _last_frame(window: Window, header: _Header, like: _Frame) -> _Frame | None:
    """Find the last frame whose predecessor is there too, from the end of the file; None if the end has none."""
    tail = min(3 * header.frame_bytes + _TAGS if header.frame_bytes else _TAIL, _MAX_TAIL)
    found = list(_frames(window, header, like, max(window.size - tail, like.at)))
    ends = {frame.end for frame in found} | {like.first}
    return next((frame for frame in reversed(found) if frame.first in ends), None)


def _runs(window: Window, header: _Header, first: _Frame) -> Contents | None:
    """Return the stretches of frames that are whole, each a part of its own; None if all are."""
    found = _in_order(list(_frames(window, header, first, header.frames_at)))
    stops = [after.at for _, after in pairwise(found)] + [before_tags(window)]
    if not found:
        return None
    whole = _are_whole(window, list(zip((frame.at for frame in found), stops, strict=True)))
    total = max(header.total, found[-1].end - first.first if whole[-1] else 0)
    if all(whole) and all(a.end == b.first for a, b in pairwise(found)) and total == found[-1].end - first.first:
        return None
    parts: list[Part] = []
    good = position = 0
    for run in _stretches(found, stops, whole):
        begin, end = found[run.start].first - first.first, found[run.stop - 1].end - first.first
        pieces = (_head(header, window, end - begin), (found[run.start].at, stops[run.stop - 1]))
        parts.append(Part(pieces, (end - position) / header.rate if begin > position else None))
        good, position = good + end - begin, end
    lost = (total - good) / header.rate
    damaged = sum(not one for one in whole)
    faults = [f"{count(damaged, 'frame')} damaged"] * bool(damaged)
    faults += ["some are missing"] * any(a.end != b.first for a, b in pairwise(found))
    faults += ["its end is missing"] * (total > found[-1].end - first.first)
    return Contents(tuple(parts), total / header.rate, lost, tuple(faults))


def _in_order(found: Sequence[_Frame]) -> list[_Frame]:
    """Leave out what only looked like a frame: time runs forwards."""
    kept: list[_Frame] = []
    for frame in found:
        if not kept or frame.first >= kept[-1].end:
            kept.append(frame)
    return kept


def _stretches(found: Sequence[_Frame], stops: Sequence[int], whole: Sequence[bool]) -> Iterator[range]:
    """Yield the ranges of frames that are whole and follow each other in bytes and in time."""
    start: int | None = None
    for i, frame in enumerate(found):
        joins = start is not None and found[i - 1].end == frame.first
        if start is not None and not (whole[i] and joins):
            yield range(start, i)
            start = None
        if start is None and whole[i]:
            start = i
    if start is not None:
        yield range(start, len(found))


# Checksums


def _table(polynomial: int, bits: int) -> list[int]:
    table = []
    for value in range(256):
        value <<= bits - 8
        for _ in range(8):
            value = (value << 1) ^ (polynomial if value >> (bits - 1) & 1 else 0)
        table.append(value & ((1 << bits) - 1))
    return table


_CRC8 = _table(0x07, 8)
_CRC16 = np.array(_table(0x8005, 16), np.uint16)


def _crc8(data: bytes) -> int:
    value = 0
    for byte in data:
        value = _CRC8[value ^ byte]
    return value


def _are_whole(window: Window, frames: Sequence[tuple[int, int]]) -> list[bool]:
    """Tell of each frame (start, stop) whether its CRC-16 is right; many are computed side by side."""
    whole: list[bool] = []
    group: list[bytes] = []
    size = 0
    for start, stop in frames:
        group.append(window.get(start, stop))
        size = max(size, stop - start)
        if size * (len(group) + 1) > _TOGETHER:
            whole += _have_crc16(group)
            group, size = [], 0
    return whole + (_have_crc16(group) if group else [])


def _have_crc16(group: Sequence[bytes]) -> list[bool]:
    """Tell of each frame whether the CRC-16 over all of it, its own checksum included, is 0.

    Zeros before a frame change nothing, so that frames of several lengths go side by side.
    """
    longest = max(map(len, group))
    table = np.zeros((longest, len(group)), np.uint8)
    for i, frame in enumerate(group):
        table[longest - len(frame) :, i] = np.frombuffer(frame, np.uint8)
    value = np.zeros(len(group), np.uint16)
    for row in table:
        value = (value << 8) ^ _CRC16[(value >> 8) ^ row]
    return [int(one) == 0 for one in value]
