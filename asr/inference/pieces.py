"""Cut what is heard into pieces that a model trained on utterances can read, as it is heard.

::

    heard     ....speech speech...........speech speech speech speech speech speech...
    pieces      [           ]            [              core       ~~~]
                                                                [~~~   core          ]

A silence ends a piece; what is silent beyond ``keep_s`` beside speech belongs to no piece. Speech that goes on for
longer than a piece may last is cut at its least speech-like place, and both sides hear some of the other (``~``), so
that what is computed at the seam is as if there were none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf

import numpy as np

from asr.audio import resample
from asr.audio.voice_activity import CONTEXT_S, FRAME_S, HOP_LENGTH, SAMPLE_RATE

VoiceActivity = Callable[[np.ndarray], np.ndarray]
"""Samples (N,) at 16 kHz → probabilities of speech (1 + N // 160,), one each 10 ms."""

FRAMES_PER_S = round(1 / FRAME_S)

_BLOCK = 100
"""Frames whose probabilities are computed at a time: a decision waits this long at most, and for the context."""

_CONTEXT = round(CONTEXT_S * FRAMES_PER_S)
"""Frames heard on either side of a block, for its probabilities to be those of the whole; even, as blocks are: the
detector computes every other frame."""

_ALIKE = 0.02
"""Probabilities of speech this near to each other are equal."""

_SMOOTHING = 20
"""A seam is this many frames of little speech, not a stop consonant."""


@dataclass(frozen=True)
class Cutting:
    """When a piece begins and ends.

    Attributes:
        most_s: no core is longer.
        least_s: no core is shorter, but for the last of a recording.
        whole_s: a recording this short is one piece, and its voice activity is never asked for.
        silence_s: a silence this long ends a piece.
        keep_s: how much silence stays beside speech at most.
        context_s: how much is heard beyond a cut within speech, on either side.
        onset: the probability of speech at which speech begins.
        offset: the one below which it ends.
        sure: what it must reach for ``least_sure_s`` in all, or what was taken for speech is given up: clicks, barks
            and creaks mostly never do, and speech nearly always (benchmarks/noise.py).
        least_sure_s: how long, in all.
    """

    most_s: float = 24.0
    least_s: float = 2.0
    whole_s: float = 6.0
    silence_s: float = 0.5
    keep_s: float = 0.5
    context_s: float = 1.5
    onset: float = 0.5
    offset: float = 0.35
    sure: float = 0.7
    least_sure_s: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what leaves no place to cut."""
        if not (0 < self.silence_s <= self.context_s and max(self.context_s, self.least_s) < self.most_s / 2):
            raise ValueError(f"cutting needs 0 < silence_s <= context_s < most_s / 2 > least_s, got {self}")


@dataclass(frozen=True)
class Span:
    """Where a piece lies, in samples of its recording: ``start <= core_start < core_stop <= stop``.

    ``goes_on``: its end is a cut within speech, and the next core begins there. ``surely_s``: seconds since the last
    silence that are surely speech (`Cutting.sure`); infinite where nobody asked.
    """

    start: int
    core_start: int
    core_stop: int
    stop: int
    goes_on: bool = False
    surely_s: float = inf


@dataclass(frozen=True, eq=False)
class Piece:
    """A stretch with speech: its samples (N,), context included, and where they are."""

    span: Span
    samples: np.ndarray


def every_sound(samples: np.ndarray) -> np.ndarray:
    """A voice activity that misses nothing: all is speech."""
    return np.ones(1 + len(samples) // HOP_LENGTH, np.float32)


class PieceCutter:
    """Takes samples in packets of any size, gives pieces as they are decided; the packets' sizes change nothing."""

    def __init__(
        self,
        voice_activity: VoiceActivity,
        sample_rate: int = SAMPLE_RATE,
        grid: int = 1,
        cutting: Cutting | None = None,
    ) -> None:
        """Begin a recording.

        Args:
            voice_activity: says where speech is.
            sample_rate: Hz of the samples.
            grid: pieces and cores begin at multiples of so many samples.
            cutting: when pieces end.
        """
        cutting = cutting or Cutting()
        self._rate, self._grid = sample_rate, grid
        self._whole_s, self._onset, self._offset = cutting.whole_s, cutting.onset, cutting.offset
        self._most, self._least = _frames(cutting.most_s), _frames(cutting.least_s)
        self._silence, self._keep = _frames(cutting.silence_s), _frames(cutting.keep_s)
        self._context = _frames(cutting.context_s)
        self._sure, self._least_sure = cutting.sure, _frames(cutting.least_sure_s)
        self._heard = _Samples()
        self._activity = _Activity(voice_activity, sample_rate)
        self._speaking = self._is_open = False
        # Frames: where the open piece and its core begin, its speech last ended, and what no piece holds yet; and how
        # many since the last silence are surely speech.
        self._start = self._core = self._last = self._free = self._surely = 0

    @property
    def heard_s(self) -> float:
        """Seconds heard so far."""
        return self._heard.stop / self._rate

    def accept(self, samples: np.ndarray) -> list[Piece]:
        """Samples (n,) float32 that follow the last → the pieces (often none) that this decides."""
        pieces: list[Piece] = []
        for at in range(0, len(samples), self._rate):
            self._heard.append(samples[at : at + self._rate])
            if not self._is_short:
                pieces += self._decide(final=False)
        return pieces

    def finish(self) -> list[Piece]:
        """The rest, as no more samples come."""
        total = self._heard.stop
        if self._is_short:
            return [self._piece(0, 0, total, total)] if total else []
        pieces = self._decide(final=True)
        if self._is_speech:
            stop = min(self._sample(self._last + self._keep), total)
            pieces.append(self._piece(self._sample(self._start), self._sample(self._core), stop, stop))
        return pieces

    def open_piece(self) -> Piece | None:
        """What is heard of a piece that is not decided; None where there is no speech."""
        total = self._heard.stop
        start, core = self._sample(self._start), self._sample(self._core)
        is_piece = core < total and (self._is_speech or self._is_short)
        return self._piece(start, core, total, total) if is_piece else None

    @property
    def _is_short(self) -> bool:
        return self._heard.stop <= self._whole_s * self._rate

    @property
    def _is_speech(self) -> bool:
        return self._is_open and self._surely >= self._least_sure

    # Decisions, frame by frame

    def _decide(self, final: bool) -> list[Piece]:
        pieces = []
        for frame, probability in self._activity.follow(self._heard, final):
            if (piece := self._hear(frame, probability)) is not None:
                pieces.append(piece)
        self._forget()
        return pieces

    def _hear(self, frame: int, probability: float) -> Piece | None:
        """One frame more; the piece that ends with it."""
        now = frame + 1
        self._speaking = probability >= (self._offset if self._speaking else self._onset)
        if self._speaking:
            if not self._is_open:
                self._is_open, self._start = True, max(self._free, frame - self._keep)
                self._core, self._surely = self._start, 0
            self._last, self._surely = now, self._surely + (probability >= self._sure)
        if not self._is_open:
            return None
        if now - self._last >= self._silence and now - self._core >= self._least:
            return self._end_in_silence(now)
        return self._cut_within_speech(now) if now - self._core >= self._most else None

    def _end_in_silence(self, now: int) -> Piece | None:
        cut = min((self._last + now) // 2, self._last + self._keep)
        start, core, stop = (self._sample(frame) for frame in (self._start, self._core, cut))
        piece = self._piece(start, core, stop, stop) if self._is_speech else None
        self._is_open, self._free = False, cut
        return piece

    def _cut_within_speech(self, now: int) -> Piece | None:
        first, last = self._core + self._most // 2, now - self._context
        cut = first + self._quietest(first, last)
        start, core, stop = (self._sample(frame) for frame in (self._start, self._core, cut + self._context))
        piece = self._piece(start, core, self._sample(cut), stop, goes_on=True) if self._is_speech else None
        self._start, self._core, self._free = cut - self._context, cut, cut
        return piece

    def _quietest(self, first: int, last: int) -> int:
        """The least speech-like of the frames ``[first, last)``; of equals, the one with the least sound around it."""
        weights = np.full(_SMOOTHING, 1 / _SMOOTHING)
        speech = np.convolve(self._activity.span(first, last), weights, mode="valid")
        loudness = np.convolve(self._loudness(first, last), weights, mode="valid")
        loudness[speech > speech.min() + _ALIKE] = np.inf
        ties = np.flatnonzero(loudness == loudness.min())
        return int(ties[len(ties) // 2]) + _SMOOTHING // 2

    def _loudness(self, first: int, last: int) -> np.ndarray:
        """Mean square of the samples of each frame (last - first,)."""
        edges = [frame * self._rate // FRAMES_PER_S for frame in range(first, last + 1)]
        samples = self._heard.span(edges[0], edges[-1]).astype(np.float64)
        sums = np.add.reduceat(samples**2, np.array(edges[:-1]) - edges[0])
        return sums / np.diff(edges)

    # Samples

    def _sample(self, frame: int) -> int:
        """The last place on the grid that is not after ``frame``."""
        return frame * self._rate // FRAMES_PER_S // self._grid * self._grid

    def _piece(self, start: int, core_start: int, core_stop: int, stop: int, goes_on: bool = False) -> Piece:
        surely_s = inf if self._is_short else self._surely / FRAMES_PER_S
        return Piece(Span(start, core_start, core_stop, stop, goes_on, surely_s), self._heard.span(start, stop))

    def _forget(self) -> None:
        """Let go of what no piece and no probability will ask for."""
        needed = self._start if self._is_open else max(self._free, self._activity.now - self._keep)
        self._heard.forget(min(self._sample(needed), self._activity.needs()))
        self._activity.forget(needed)


def _frames(seconds: float) -> int:
    return round(seconds * FRAMES_PER_S)


class _Samples:
    """The samples heard that are still needed, by their place in the recording."""

    def __init__(self) -> None:
        self._first = self.stop = 0
        self._parts: list[np.ndarray] = []

    def append(self, samples: np.ndarray) -> None:
        self._parts.append(np.array(samples, np.float32))
        self.stop += len(samples)

    def span(self, start: int, stop: int) -> np.ndarray:
        """A copy of samples ``[start, stop)``."""
        return self._joined()[start - self._first : stop - self._first].copy()

    def forget(self, before: int) -> None:
        if before > self._first:
            kept = self._joined()[before - self._first :].copy()
            self._parts, self._first = [kept], before

    def _joined(self) -> np.ndarray:
        if len(self._parts) != 1:
            self._parts = [np.concatenate(self._parts)] if self._parts else [np.empty(0, np.float32)]
        return self._parts[0]


class _Activity:
    """Probabilities of speech in blocks whose places the packets do not move, so that each is always the same."""

    def __init__(self, voice_activity: VoiceActivity, rate: int) -> None:
        self._voice_activity, self._rate = voice_activity, rate
        self._first = self.now = 0
        self._known = np.empty(0, np.float32)

    def follow(self, heard: _Samples, final: bool) -> Iterator[tuple[int, float]]:
        """Yield each frame that can be computed now, and its probability."""
        while (stop := self._next_stop(heard, final)) > self.now:
            start = self.now
            first, last = max(start - _CONTEXT, 0), stop + _CONTEXT
            span = heard.span(self._at(first), min(self._at(last), heard.stop))
            at_16_khz = resample(span, self._rate, SAMPLE_RATE)
            block = self._voice_activity(at_16_khz)[start - first : stop - first]
            self._known = np.concatenate([self._known, block])
            for frame, probability in enumerate(block.tolist(), start):
                self.now = frame + 1
                yield frame, probability

    def _next_stop(self, heard: _Samples, final: bool) -> int:
        stop = self.now + _BLOCK
        if self._at(stop + _CONTEXT) <= heard.stop:
            return stop
        return min(stop, heard.stop * FRAMES_PER_S // self._rate) if final else self.now

    def _at(self, frame: int) -> int:
        return frame * self._rate // FRAMES_PER_S

    def span(self, first: int, last: int) -> np.ndarray:
        """Probabilities of frames ``[first, last)``, not forgotten yet."""
        return self._known[first - self._first : last - self._first]

    def needs(self) -> int:
        """The first sample that the next block will hear."""
        return self._at(max(self.now - _CONTEXT, 0))

    def forget(self, before: int) -> None:
        if before > self._first:
            self._known, self._first = self._known[before - self._first :], before
