r"""RIFF and its relatives: WAV, RF64 and BW64, RIFX with the other byte order, AIFF.

::

    RIFF <size> WAVE                                   RIFF, RF64 (sizes in a ds64 chunk) or BW64
      ds64 <size> <riff size u64> <data size u64> …
      fmt  <size> <kind u16> <channels u16> <rate u32> <bytes a second u32> <bytes a frame u16> <bits u16> …
      data <size> samples …                            a size of 0 or 0xFFFFFFFF: unknown, written to a pipe

    FORM <size> AIFF                                   or AIFC; sizes big-endian
      COMM <size> <channels u16> <frames u32> <bits u16> <rate, 80-bit float> …
      SSND <size> <offset u32> <block u32> samples …

libsndfile reads a truncated file to its end without an error, and a file whose sizes are too small only as far as they
say.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from asr.audio.containers.contents import Contents, Part, count
from asr.audio.containers.window import Window

UNKNOWN_FROM = 0x7FFFF000
"""Sizes from here on mean unknown: programs that cannot seek back write them (sox, espeak, ffmpeg)."""

MAX_CHUNKS = 1000
"""Chunks of a file, or before the samples of a pipe, beyond which it is not taken for a recording."""

FORMS = (b"RIFF", b"RIFX", b"RF64", b"BW64", b"FORM")

_KNOWN = (b"LIST", b"id3 ", b"ID3 ", b"bext", b"cue ", b"fact", b"smpl", b"JUNK", b"PEAK", b"iXML", b"axml", b"_PMX")
"""Chunks after the samples that may be cut: nothing of the sound is lost with them."""


@dataclass(frozen=True)
class Chunk:
    """A chunk: its name, and its body's offset and size in bytes as stated."""

    kind: bytes
    start: int
    size: int


@dataclass(frozen=True)
class _Header:
    """What a file states: its form and byte order, the size of the whole, its chunks up to the samples."""

    form: bytes
    order: str
    size: int
    chunks: tuple[Chunk, ...]
    long_size: int | None

    @property
    def samples(self) -> Chunk | None:
        """The chunk with the samples, its 64-bit size where there is one."""
        last = self.chunks[-1] if self.chunks else None
        if last is None or last.kind not in (b"data", b"SSND"):
            return None
        is_long = last.size == 0xFFFFFFFF and self.long_size is not None
        return Chunk(last.kind, last.start, self.long_size) if is_long and self.long_size is not None else last


def read(window: Window) -> Contents:
    """Compare the sizes that a RIFF or AIFF file states with its bytes."""
    head = window.get(0, 12)
    if head[8:12] not in (b"WAVE", b"AIFF", b"AIFC", b""):
        return Contents()
    header = _header(window, head)
    samples = header.samples
    if samples is None:
        missing = 8 + header.size - window.size
        cut = missing > 0 and header.size < UNKNOWN_FROM - 8 and len(header.chunks) <= MAX_CHUNKS
        return Contents(faults=(_fewer(missing),)) if cut else Contents()
    second = _bytes_a_second(window, header)
    if _is_unfinished(header, samples, window.size):
        return _patched(header, samples, window, 0xFFFFFFFF)
    if samples.size >= UNKNOWN_FROM and header.long_size is None:
        return Contents()
    missing = samples.start + samples.size - window.size
    if missing > 0:
        length = samples.size / second if second else None
        return Contents(length_s=length, lost_s=missing / second if second else 0.0, faults=(_fewer(missing),))
    return _beyond(header, samples, window, second)


def _fewer(missing: int) -> str:
    return f"{count(missing, 'byte')} fewer than its header says"


def _header(window: Window, head: bytes) -> _Header:
    form = head[:4]
    order = ">" if form in (b"FORM", b"RIFX") else "<"
    chunks: list[Chunk] = []
    long_size: int | None = None
    at = 12
    while len(chunks) <= MAX_CHUNKS and len(begin := window.get(at, at + 8)) == 8:
        kind, size = struct.unpack(f"{order}4sI", begin)
        if kind == b"ds64" and not chunks:
            long_size = int.from_bytes(window.get(at + 16, at + 24), "little")
        chunks.append(Chunk(kind, at + 8, size))
        if kind in (b"data", b"SSND"):
            break
        at += 8 + size + size % 2
    size = int.from_bytes(head[4:8], "big" if order == ">" else "little")
    return _Header(form, order, size, tuple(chunks), long_size)


def _bytes_a_second(window: Window, header: _Header) -> float:
    """Return the bytes of samples a second; 0 where the header does not say."""
    for chunk in header.chunks:
        body = window.get(chunk.start, chunk.start + 18)
        if chunk.kind == b"fmt " and len(body) >= 16:
            _, channels, rate, stated, frame, bits = struct.unpack(f"{header.order}HHIIHH", body[:16])
            return float(rate * frame if frame == channels * bits // 8 else stated)
        if chunk.kind == b"COMM" and len(body) == 18:
            channels, _, bits, exponent, mantissa = struct.unpack(">HIHHQ", body)
            rate = mantissa * 2.0 ** ((exponent & 0x7FFF) - 16383 - 63) if exponent & 0x7FFF < 16500 else 0.0
            return float(rate * channels * -(-bits // 8))
    return 0.0


def _is_unfinished(header: _Header, samples: Chunk, size: int) -> bool:
    """Tell whether no bytes of samples are stated though some follow, and the size of the whole excludes them too.

    Such a header was never completed; libsndfile would read no samples.
    """
    end = 8 + header.size
    is_open = end >= UNKNOWN_FROM or end <= samples.start
    return header.form == b"RIFF" and samples.size == 0 and size > samples.start and is_open


def _patched(header: _Header, samples: Chunk, window: Window, size: int, notes: tuple[str, ...] = ()) -> Contents:
    """Give libsndfile another size of the samples than the file states."""
    stated = struct.pack(f"{header.order}I", size)
    return Contents((Part(((0, samples.start - 4), stated, (samples.start, window.size))),), notes=notes)


def _beyond(header: _Header, samples: Chunk, window: Window, second: float) -> Contents:
    """Look at what follows the samples: chunks, padding, or more samples than the header says."""
    end = samples.start + samples.size
    after = window.size - end
    if _are_chunks(header, window, end) or _are_zeros(window, end):
        return Contents()
    seconds = f"{after / second:.2f} s" if second else count(after, "byte")
    if header.form == b"RIFF" and 8 + header.size in (window.size, window.size + 1) and second:
        note = f"its header says {samples.size / second:.2f} s of samples; the {seconds} after them were read too"
        return _patched(header, samples, window, samples.size + after, (note,))
    note = f"{seconds} after the end that its header says were not read"
    return Contents(notes=(note,))


def _are_chunks(header: _Header, window: Window, at: int) -> bool:
    """Tell whether chunks follow up to the end of the file; padding may lack, and a known chunk may be cut."""
    starts = (at + 1, at) if at % 2 else (at,)
    return any(_chain_ends(header, window, start) for start in starts)


def _chain_ends(header: _Header, window: Window, at: int) -> bool:
    for _ in range(MAX_CHUNKS):
        begin = window.get(at, at + 8)
        if len(begin) < 8:
            return True
        kind, size = struct.unpack(f"{header.order}4sI", begin)
        if not looks_like_chunk(kind):
            return _are_zeros(window, at)
        at += 8 + size
        if at > window.size:
            return kind in _KNOWN
        at += size % 2
    return False


def looks_like_chunk(kind: bytes) -> bool:
    """Tell whether four bytes can be a chunk's name, which is printable."""
    return all(32 <= byte < 127 for byte in kind)


def _are_zeros(window: Window, at: int) -> bool:
    while at < window.size:
        data = window.get(at, at + (1 << 16))
        if data.count(0) < len(data):
            return False
        at += len(data)
    return True
