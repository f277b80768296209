r"""Ogg: pages with a checksum, a number and a position in time each; streams that follow each other (chained).

::

    OggS <version u8> <flags u8> <position i64> <stream u32> <number u32> <checksum u32> <n u8> <n lengths u8> body
      flags     1: its first packet continues that of the page before, 2: first page of its stream, 4: last one
      position  samples of the stream up to the last packet that ends in the page; -1 where none does
      lengths   a packet ends with each length below 255

libogg drops a page whose checksum is wrong, and libsndfile then plays on as if nothing had been there (RFC 3533; Opus
in Ogg: RFC 7845; FLAC in Ogg: RFC 9639, section 10.1).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from asr.audio.containers.contents import Contents, Part, Piece, count, with_range
from asr.audio.containers.window import Window

_HEADER = struct.Struct("<4sBBqIIIB")
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_FIRST, _LAST = 2, 4
_NO_POSITION = -1
_CHECKSUM, _OPUS_SKIP = slice(22, 26), slice(28 + 10, 28 + 12)
_TRUSTED_S = 600.0
"""Seconds that one page may hold: a damaged one at the end that claims more is not believed."""

_NEVER = 1 << 32
"""Packets that a header lacks once one of its pages is lost: more than will come."""

_WASTE = 1 << 26
"""Bytes that may be summed in vain, beside the file's own: pages within pages would make that quadratic."""


@dataclass(frozen=True)
class Page:
    """A page that is there: its bytes, its fields, and the number of packets that end in it; ``body`` is its start."""

    start: int
    stop: int
    flags: int
    position: int
    stream: int
    number: int
    packets: int
    body: bytes


@dataclass(frozen=True)
class Hole:
    """Bytes that are no page; ``position`` is what a damaged page there claims to reach, -1 where none does."""

    position: int


@dataclass(frozen=True)
class Codec:
    """How a stream counts: ``rate`` positions a second, from ``skip`` on, after ``headers`` packets without sound."""

    rate: int
    skip: int
    headers: int


@dataclass
class _Run:
    """Pages of one stream without a hole; ``lost_pages`` are missing before it, and ``first`` is its first position."""

    lost_pages: int
    pieces: list[tuple[int, int]] = field(default_factory=list)
    pages: int = 0
    first: int = _NO_POSITION
    last: int = _NO_POSITION


@dataclass
class _Link:
    """The streams that play at the same time between two joints of a chain; one of them is decoded."""

    streams: set[int] = field(default_factory=set)
    codec: Codec | None = None
    stream: int = -1
    begun: bool = False
    ended: bool = False
    packets: int = 0
    number: int = -1
    headers: list[tuple[int, int]] = field(default_factory=list)
    runs: list[_Run] = field(default_factory=list)
    end_claimed: int = _NO_POSITION
    hole: bool = False
    strangers: int = 0

    @property
    def is_decodable(self) -> bool:
        """Whether all pages that say how to decode are there."""
        return self.codec is not None and self.packets >= self.codec.headers

    def accept(self, page: Page) -> None:
        """Take the next page of this link."""
        self.begun = self.begun or not page.flags & _FIRST
        if page.stream == self.stream:
            self._accept_own(page)
        elif page.stream not in self.streams:
            self.strangers += 1
        self.ended = self.ended or bool(page.flags & _LAST and page.stream == self.stream)

    def _accept_own(self, page: Page) -> None:
        lost = max(page.number - self.number - 1, 1 if page.number <= self.number else 0)
        if not self.is_decodable:
            self.packets += page.packets if not lost else -_NEVER
            self.end_claimed = max(self.end_claimed, page.position)
            with_range(self.headers, page.start, page.stop)
        else:
            if lost or not self.runs:
                self.runs.append(_Run(lost))
            run = self.runs[-1]
            run.pages += 1
            with_range(run.pieces, page.start, page.stop)
            if page.position != _NO_POSITION:
                run.first = page.position if run.first == _NO_POSITION else run.first
                run.last = page.position
            self.hole, self.end_claimed = False, _NO_POSITION
        self.number = page.number

    def accept_hole(self, hole: Hole) -> None:
        """Take bytes that are no page, and how far a damaged page there claims to reach."""
        self.hole = True
        last = self.runs[-1].last if self.runs else 0
        limit = last + _TRUSTED_S * (self.codec.rate if self.codec else 0)
        if max(last, self.end_claimed) < hole.position <= limit:
            self.end_claimed = hole.position


def read(window: Window) -> Contents:
    """Read the pages of an Ogg file, and hold the streams against each other."""
    links: list[_Link] = []
    for one in _pages(window):
        if isinstance(one, Page):
            if one.flags & _FIRST and (not links or links[-1].begun):
                links.append(_Link())
            if not links:
                links.append(_Link(hole=True))
            _add(links[-1], one)
        elif links:
            links[-1].accept_hole(one)
    known = [link for link in links if link.codec is not None]
    return _contents(known, links, window) if known else Contents()


def _add(link: _Link, page: Page) -> None:
    if page.flags & _FIRST:
        link.streams.add(page.stream)
        if link.codec is None and (codec := _codec(page.body)) is not None:
            link.codec, link.stream = codec, page.stream
    link.accept(page)


def _codec(packet: bytes) -> Codec | None:
    """Parse the first packet of a stream; return None if libsndfile does not decode it."""
    if packet[:8] == b"OpusHead" and len(packet) >= 12:
        return Codec(48_000, int.from_bytes(packet[10:12], "little"), 2)
    if packet[:7] == b"\1vorbis" and len(packet) >= 16:
        return Codec(max(int.from_bytes(packet[12:16], "little"), 1), 0, 3)
    if packet[:5] == b"\x7fFLAC" and len(packet) >= 35:
        rate = int.from_bytes(packet[27:30], "big") >> 4
        return Codec(max(rate, 1), 0, 1 + int.from_bytes(packet[7:9], "big"))
    return None


# Pages


def _pages(window: Window) -> Iterator[Page | Hole]:
    """Yield the pages of a file in order, and a hole for bytes between them that are none."""
    at, waste = 0, _WASTE + window.size
    while at < window.size:
        found = _page_at(window, at)
        if isinstance(found, Page):
            yield found
            at = found.stop
            continue
        yield Hole(found.position if found is not None else _NO_POSITION)
        waste -= 0 if found is None else found.cost
        if waste < 0:
            return
        at = window.find(b"OggS", at + 1)
        if at < 0:
            return


@dataclass(frozen=True)
class _Damaged:
    """A page that is cut or whose checksum is wrong; reading it cost so many bytes."""

    position: int
    cost: int


def _page_at(window: Window, at: int) -> Page | _Damaged | None:
    """Return the page at an offset, what a damaged one claims, or None if there is none."""
    head = window.get(at, at + 27)
    if len(head) < 27 or head[:4] != b"OggS" or head[4]:
        return None
    _, _, flags, position, stream, number, checksum, segments = _HEADER.unpack(head)
    body = at + 27 + segments
    lengths = window.get(at + 27, body)
    stop = body + sum(lengths)
    page = window.get(at, stop)
    if len(lengths) < segments or len(page) < stop - at or _checksum(page) != checksum:
        return _Damaged(position, len(page))
    packets = segments - lengths.count(255)
    return Page(at, stop, flags, position, stream, number, packets, page[27 + segments : 27 + segments + 64])


def _checksum(page: bytes) -> int:
    """Compute the checksum of a page, whose own field counts as 0.

    Ogg's CRC is zlib's with the bits of every byte, and of the result, in the other order, and nothing inverted.

    >>> hex(_checksum(b"OggS" + bytes(23)))
    '0x9ea1a511'
    """
    without = page[:22] + bytes(4) + page[26:]
    reflected = zlib.crc32(without.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(reflected.to_bytes(4, "little").translate(_REVERSED), "big")


# What they say


def _contents(known: list[_Link], links: list[_Link], window: Window) -> Contents:
    parts: list[Part] = []
    good = lost = 0.0
    faults: list[str] = []
    for link in known:
        parts += _parts(link, window)
        seconds, missing, found = _losses(link)
        good, lost = good + seconds, lost + missing
        faults += found
    strangers = sum(link.strangers for link in links)
    if len(known) < len(links) or strangers:
        faults.append(f"{count(max(strangers, 1), 'page')} of a stream whose beginning is missing")
    notes = ("its last page is not marked as the last one; it may be cut",) if not known[-1].ended else ()
    if not faults and _is_plain(known, window):
        return Contents(length_s=good, notes=notes)
    return Contents(
        tuple(parts), good + lost, lost, tuple(faults), () if faults else notes, states_length=len(known) == 1
    )


def _is_plain(known: list[_Link], window: Window) -> bool:
    """Tell whether the file is what libsndfile expects: one link with one stream."""
    return len(known) == 1 and len(known[0].streams) == 1


def _parts(link: _Link, window: Window) -> Iterator[Part]:
    if link.codec is None or not link.is_decodable:
        return
    at = link.codec.skip
    headers: tuple[Piece, ...] = tuple(link.headers)
    for run in link.runs:
        span = (run.last - at) / link.codec.rate if run.lost_pages and run.last > at else None
        yield Part((*(_unskipped(headers, link, window) if run.lost_pages else headers), *run.pieces), span)
        at = max(at, run.last)


def _unskipped(headers: tuple[Piece, ...], link: _Link, window: Window) -> tuple[Piece, ...]:
    """Return the headers of an Opus stream with nothing to skip: only its own beginning has that to spare."""
    first = headers[0]
    if link.codec is None or not link.codec.skip or isinstance(first, bytes):
        return headers
    page = bytearray(window.get(first[0], first[0] + 27 + 1 + 255))
    del page[28 + page[27] :]
    page[_OPUS_SKIP] = bytes(2)
    page[_CHECKSUM] = _checksum(bytes(page)).to_bytes(4, "little")
    return (bytes(page), (first[0] + len(page), first[1]), *headers[1:])


def _losses(link: _Link) -> tuple[float, float, list[str]]:
    """Return a link's seconds that are there, those that are lost, and what is wrong with it."""
    codec = link.codec
    assert codec is not None
    if not link.is_decodable:
        return 0.0, max(link.end_claimed, 0) / codec.rate, ["a page of its header is damaged or missing"]
    begin = end = _begin(link)
    lost, pages = 0.0, 0
    for run in link.runs:
        if run.lost_pages and run.first > end:
            lost += (run.first - end) * run.lost_pages / (run.lost_pages + 1)
        pages += run.lost_pages
        end = max(end, run.last)
    faults = [f"{count(pages, 'page')} damaged or missing"] if pages else []
    if link.hole and not link.ended:
        faults.append("its last page is damaged or cut, and what came after it is not known")
        more = max(link.end_claimed - end, 0)
        lost, end = lost + more, end + more
    return (end - begin - lost) / codec.rate, lost / codec.rate, faults


def _begin(link: _Link) -> int:
    """Return the position at which a link begins: not 0 if it was recorded from a stream that had played for long."""
    skip = link.codec.skip if link.codec else 0
    if not link.codec or not link.runs or link.runs[0].lost_pages:
        return skip
    first = link.runs[0].first
    return first if first - skip > _TRUSTED_S * link.codec.rate else skip
