"""MPEG audio (MP3, MP2): frames one after another, each with a header of four bytes that says how long it is.

::

    [ID3v2 tag] frame frame frame … [ID3v1, Lyrics3 and APE tags]
    frame: 0xFF  0xE0 | version u2, layer u2, no checksum u1   bit rate u4, rate u2, padding u1, _   mode u2 …
    a first frame of silence may have "Xing" or "Info" inside, with the number of the others ("VBRI": another encoder's)

Without that number libmpg123 guesses the length from the first frame and libsndfile stops there; joined files it reads
as far as the first number; and it gives up within damaged bytes, with notes on stderr. So each stretch of good frames
is decoded for itself, behind a frame that says how many there are.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache

from asr.audio.containers.contents import Contents, Part, Piece, with_range
from asr.audio.containers.tags import after_tag, before_tags
from asr.audio.containers.window import Window

_KBPS = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""(1 or 2 for the lower rates, layer) → kilobits a second by the header's code, from 1 on."""

_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""Version's code → Hz: MPEG 1, 2 and 2.5."""

_INFO_BYTES = 64
"""Bytes of a frame that has room for the number of the others."""

_TRIES = 20_000
"""Headers of frames that nothing follows, as nobody's damage has them; beyond them the rest is given up."""

_LOOK_AHEAD = 1 << 13
"""Bytes within which these frames are, whatever their format."""

_TRIM_AT = 21
"""Bytes from an encoder's name, after the numbers of a Xing frame, to the samples to trim: begin u12, end u12."""

_IN_A_ROW = 3
"""Frames that must follow each other before damaged bytes are taken to be over."""

_SMALL_S = 0.1
"""Seconds whose loss is said, and nothing refused for it."""

_CUT = "it ends within a frame, and what came after it is not known"

_LENIENT_FRAMES = 2
"""Frames by which the number in a Xing frame may differ: encoders count that frame itself, or the last one, or not."""


@dataclass(frozen=True)
class Format:
    """The format of all frames of a stretch: version's code, layer, Hz, whether there is one channel."""

    version: int
    layer: int
    rate: int
    is_mono: bool

    @property
    def samples(self) -> int:
        """Samples a frame."""
        if self.layer == 1:
            return 384
        return 576 if self.layer == 3 and self.version != 3 else 1152

    @property
    def xing_at(self) -> int:
        """The offset in a frame of layer III after its side information."""
        if self.version == 3:
            return 4 + (17 if self.is_mono else 32)
        return 4 + (9 if self.is_mono else 17)


@cache
def _table() -> dict[int, tuple[int, Format]]:
    """Return header's bytes 1 and 2 → bytes of the frame, and the format as if of two channels."""
    table: dict[int, tuple[int, Format]] = {}
    for second in range(0xE0, 0x100):
        version, layer = second >> 3 & 3, 4 - (second >> 1 & 3)
        if version == 1 or layer == 4:
            continue
        rates = _KBPS[1 if version == 3 else 2, layer]
        for third in range(0x10, 0xF0):
            if third >> 2 & 3 == 3:
                continue
            form = Format(version, layer, _RATES[version][third >> 2 & 3], False)
            kbps, padding = rates[(third >> 4) - 1], third >> 1 & 1
            slots = form.samples // 8 * kbps * 1000 // form.rate + padding
            slots = 4 * (12 * kbps * 1000 // form.rate + padding) if layer == 1 else slots
            table[second << 8 | third] = (slots, form)
    return table


@cache
def _lengths() -> dict[Format, dict[int, int]]:
    """Return format → header's bytes 1 and 2 → bytes of the frame, of frames of that format only."""
    lengths: dict[Format, dict[int, int]] = {}
    for key, (size, form) in _table().items():
        lengths.setdefault(form, {})[key] = size
    return lengths


@cache
def _mono(form: Format) -> Format:
    return replace(form, is_mono=True)


@dataclass
class _Stretch:
    """Good frames one after another, ``lost_bytes`` that are damaged before it, and the number of frames it states."""

    form: Format
    lost_bytes: int = 0
    pieces: list[tuple[int, int]] = field(default_factory=list)
    frames: int = 0
    bytes: int = 0
    has_xing: bool = False
    info_bytes: int = 0
    frames_stated: int | None = None

    def take(self, start: int, stop: int, frames: int) -> None:
        """Append so many frames."""
        with_range(self.pieces, start, stop)
        self.frames += frames
        self.bytes += stop - start

    @property
    def seconds(self) -> float:
        """The sound in it."""
        return self.frames * self.form.samples / self.form.rate


def is_sync(head: bytes) -> bool:
    """Tell whether four bytes are the header of a frame."""
    return _form_of(head) is not None


def read(window: Window, start: int) -> Contents:
    """Walk the frames from an offset, and hold them against the number that the file states, if it does."""
    walk = _Walk(window, start)
    stretches = [one for one in walk.stretches() if one.frames]
    if not stretches or sum(one.frames for one in stretches) < _IN_A_ROW - 1:
        return Contents(states_length=False)
    return _contents(stretches, walk)


def _form_of(head: bytes) -> Format | None:
    found = _table().get(head[1] << 8 | head[2]) if len(head) == 4 and head[0] == 0xFF else None
    if found is None:
        return None
    return _mono(found[1]) if head[3] >= 0xC0 else found[1]


class _Walk:
    """The way through the frames of a file; afterwards, what is at its end.

    Attributes:
        tail: bytes after the last good frame that are no tag.
        is_cut: the last frame is there in part.
    """

    def __init__(self, window: Window, start: int) -> None:
        self.window = window
        self.at = start
        self.end = before_tags(window)
        self.tail = 0
        self.is_cut = False
        self._infos = sorted(_info_frames(window, start, self.end))

    def stretches(self) -> Iterator[_Stretch]:
        """Yield the stretches of good frames in order."""
        lost = 0
        while self.at < self.end:
            form = _form_of(self._head())
            if form is not None:
                one = _Stretch(form, lost)
                self._info_frame(one)
                lost = self._through(one)
                yield one
                continue
            found = self._next_frames(self.at + 1)
            if found < 0:
                self.tail, self.at = self.end - self.at, self.end
            else:
                lost, self.at = lost + found - self.at, found

    def _head(self) -> bytes:
        return self.window.get(self.at, min(self.at + 4, self.end))

    def _through(self, one: _Stretch) -> int:
        """Walk to the end of a stretch; return the damaged bytes after it."""
        lengths = _lengths()[_stereo(one.form)]
        while True:
            last = self._run(one, lengths)
            if self.at > self.end:
                self._give_back(one, last)
                self.is_cut = True
                self.tail = self.end - self.at
                self.at = self.end
                return 0
            if self.at == self.end or self._is_info_here():
                return 0
            tagless = after_tag(self.window, self.at)
            if tagless > self.at:
                self.at = min(tagless, self.end)
                if _form_of(self._head()) != one.form or self._is_info_here():
                    return 0
                continue
            if self._agree(self.at):
                return 0
            return self._resync(one, last)

    def _run(self, one: _Stretch, lengths: dict[int, int]) -> int:
        """Take frames while they have the stretch's format; return the offset of the last one."""
        mono, last_start = one.form.is_mono, self.at
        while self.at + 4 <= self.end and not self._is_info_here():
            data, base = self.window.around(self.at, 4)
            i = first = self.at - base
            stop = min(len(data) - 3, self.end - base - 3, self._next_info() - base)
            last, frames = -1, 0
            while i < stop:
                length = lengths.get(data[i + 1] << 8 | data[i + 2])
                if length is None or data[i] != 0xFF or (data[i + 3] >= 0xC0) != mono:
                    break
                last = i
                i += length
                frames += 1
            if not frames:
                break
            self.at = base + i
            last_start = base + last
            one.take(base + first, self.at, frames)
        return last_start

    def _give_back(self, one: _Stretch, last: int) -> None:
        """Take the last frame out of a stretch again, if it has one that begins there."""
        if one.pieces and one.frames and one.pieces[-1][0] <= last < one.pieces[-1][1]:
            start, stop = one.pieces.pop()
            if last > start:
                one.pieces.append((start, last))
            one.frames, one.bytes, self.at = one.frames - 1, one.bytes - (stop - last), last

    def _resync(self, one: _Stretch, last: int) -> int:
        """Find the next frames after damaged bytes, and return how many those are.

        The damage may be in the header of the last frame that was taken, whose length is wrong then.
        """
        broken = self.at
        at = self._next_frames(last + 1 if one.frames else self.at)
        if 0 <= at < broken:
            self._give_back(one, last)
            broken = last
        if at < 0:
            self.tail = self.end - broken
            self.at = self.end
            return 0
        self.at = at
        return at - broken

    def _next_frames(self, at: int) -> int:
        """Return the offset of the next frames that agree with each other, -1 if there are none."""
        tries = _TRIES
        while (at := self.window.find(b"\xff", at, self.end)) >= 0:
            if self._agree(at):
                return at
            tries -= _form_of(self.window.get(at, at + 4)) is not None
            if tries < 0:
                return -1
            at += 1
        return -1

    def _agree(self, at: int) -> bool:
        """Tell whether some frames of one format follow each other from an offset, or fewer to the end of the file."""
        data, base = self.window.around(at, _LOOK_AHEAD)
        i, end = at - base, min(self.end - base, len(data))
        form = _form_of(data[i : i + 4])
        if form is None:
            return False
        for _ in range(_IN_A_ROW):
            if _form_of(data[i : i + 4]) != form:
                return False
            i += _table()[data[i + 1] << 8 | data[i + 2]][0]
            if i == end:
                return True
        return i < end

    # Frames that state the number of the others

    def _next_info(self) -> int:
        """Return the offset of the next such frame after here."""
        after = bisect_right(self._infos, self.at)
        return self._infos[after] if after < len(self._infos) else self.end

    def _is_info_here(self) -> bool:
        at = bisect_left(self._infos, self.at)
        return at < len(self._infos) and self._infos[at] == self.at

    def _info_frame(self, one: _Stretch) -> None:
        """Take the frame that states the number of the others, if the stretch begins with one."""
        if not self._is_info_here():
            return
        frame = self.window.get(self.at, self.at + _INFO_BYTES)
        one.frames_stated, one.has_xing = _stated(frame, one.form), frame[36:40] != b"VBRI"
        stop = self.at + _table()[frame[1] << 8 | frame[2]][0]
        one.take(self.at, min(stop, self.end), 0)
        one.info_bytes, self.at = stop - self.at, stop


def _info_frames(window: Window, start: int, end: int) -> Iterator[int]:
    """Yield the offsets of the frames that state the number of the others: one a file, more where files were joined."""
    for name in (b"Xing", b"Info", b"VBRI"):
        at = window.find(name, start, end)
        while at >= 0:
            for offset in (36,) if name == b"VBRI" else (13, 21, 36):
                form = _form_of(window.get(at - offset, at - offset + 4)) if at >= start + offset else None
                if form is not None and form.layer == 3 and (name == b"VBRI" or form.xing_at == offset):
                    yield at - offset
            at = window.find(name, at + 1, end)


def _stated(frame: bytes, form: Format) -> int | None:
    """Return the number of the other frames that a Xing or VBRI frame states."""
    if frame[36:40] == b"VBRI":
        return int.from_bytes(frame[50:54], "big")
    body = frame[form.xing_at :]
    return int.from_bytes(body[8:12], "big") if body[7] & 1 else None


# What they say


def _contents(stretches: list[_Stretch], walk: _Walk) -> Contents:
    good = sum(one.seconds for one in stretches)
    lost, odd = _losses(stretches, walk)
    parts = _parts(stretches, walk)
    if walk.is_cut or lost >= _SMALL_S:
        what = _CUT if walk.is_cut and lost < _SMALL_S else "frames are damaged or missing"
        return Contents(parts, good + lost, lost, (what,))
    notes = (f"{lost:.2f} s of it are damaged and left out",) if lost else odd
    # What decoders trim at the joints of joined files makes the sum of their frames inexact.
    return Contents(parts, good + lost, lost, notes=notes, states_length=len(parts) == 1)


def _losses(stretches: list[_Stretch], walk: _Walk) -> tuple[float, tuple[str, ...]]:
    """Return the seconds that are lost, and what else is odd."""
    lost, notes = 0.0, []
    for one, group in _files(stretches):
        held = sum(each.frames for each in group)
        gaps = sum(_frames_in(each.lost_bytes, each) for each in group[1:])
        if one.frames_stated is None:
            lost += gaps * one.form.samples / one.form.rate
            continue
        missing = one.frames_stated - held
        if missing > (0 if gaps else _LENIENT_FRAMES):
            lost += missing * one.form.samples / one.form.rate
        elif missing < -_LENIENT_FRAMES:
            stated, there = (n * one.form.samples / one.form.rate for n in (one.frames_stated, held))
            notes.append(f"its header says {stated:.2f} s; all {there:.2f} s were read")
    last = stretches[-1]
    if walk.tail and (last.frames_stated is None or len(stretches) > 1):
        lost = max(lost, _frames_in(walk.tail, last) * last.form.samples / last.form.rate)
    return lost, tuple(notes)


def _files(stretches: list[_Stretch]) -> Iterator[tuple[_Stretch, list[_Stretch]]]:
    """Yield the stretches of each of the files that were joined: the first may state their number of frames."""
    group: list[_Stretch] = []
    for one in stretches:
        if group and (one.frames_stated is not None or not one.lost_bytes):
            yield group[0], group
            group = []
        group.append(one)
    yield group[0], group


def _frames_in(size: int, one: _Stretch) -> int:
    """Return how many frames damaged bytes were, by the mean of those beside them."""
    return max(round(size * one.frames / one.bytes), 1) if size and one.bytes else 0


def _parts(stretches: list[_Stretch], walk: _Walk) -> tuple[Part, ...]:
    """Return each stretch as a part, the file as it is where that is the only one and states its own length."""
    only = stretches[0]
    if len(stretches) == 1 and only.has_xing and not walk.tail and _is_true(only):
        return (Part(),)
    return tuple(Part(_pieces(one, walk.window), _span(one)) for one in stretches)


def _is_true(one: _Stretch) -> bool:
    """Tell whether a stretch has as many frames as it states."""
    return one.frames_stated is not None and abs(one.frames_stated - one.frames) <= _LENIENT_FRAMES


def _span(one: _Stretch) -> float | None:
    lost = _frames_in(one.lost_bytes, one)
    return (lost + one.frames) * one.form.samples / one.form.rate if lost else None


def _pieces(one: _Stretch, window: Window) -> tuple[Piece, ...]:
    """Return the bytes of a stretch, behind a frame that states how many frames they are.

    A stretch's own frame of that kind stays, as it may say what to trim at the beginning, with the right number.
    """
    if one.form.layer != 3:
        return tuple(one.pieces)
    if not one.info_bytes:
        return (_xing_frame(one), *one.pieces)
    (start, stop), *others = one.pieces
    pieces = ((start + one.info_bytes, stop), *others)
    if not one.has_xing or one.frames_stated is None:
        return (_xing_frame(one), *pieces)
    return (_corrected(window.get(start, start + one.info_bytes), one), *pieces)


def _corrected(frame: bytes, one: _Stretch) -> bytes:
    """Return a Xing frame with the number of frames and of bytes that are there; nothing is trimmed at a false end."""
    corrected, at = bytearray(frame), one.form.xing_at + 8
    flags = frame[one.form.xing_at + 7]
    for bit, number in ((1, one.frames), (2, one.bytes)):
        if flags & bit:
            corrected[at : at + 4] = number.to_bytes(4, "big")
            at += 4
    at += 100 * bool(flags & 4) + 4 * bool(flags & 8) + _TRIM_AT
    if not _is_true(one) and len(corrected) > at + 2:
        corrected[at + 1] &= 0xF0
        corrected[at + 2] = 0
    return bytes(corrected)


def _xing_frame(one: _Stretch) -> bytes:
    """Return a frame of silence that states how many frames follow."""
    form = one.form
    key, length = next(
        (key, size) for key, size in sorted(_lengths()[_stereo(form)].items()) if key >> 8 & 1 and size >= _INFO_BYTES
    )
    head = bytes((0xFF, key >> 8, key & 0xFF, 0xC0 if form.is_mono else 0))
    frame = head.ljust(form.xing_at, b"\0") + b"Xing" + (1).to_bytes(4, "big") + one.frames.to_bytes(4, "big")
    return frame.ljust(length, b"\0")


def _stereo(form: Format) -> Format:
    return Format(form.version, form.layer, form.rate, False)
