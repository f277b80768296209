"""Join the log-probabilities of chunks that were cut within speech."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import ceil

import numpy as np

from asr.arrays import LogProbs
from asr.bundle import Bundle
from asr.inference.chunker import Span
from asr.inference.speech_probabilities import FRAMES_PER_S
from asr.text import Vocabulary

MAX_REGION_S = 60.0
"""A region this long ends with its last whole word, though speech goes on, so that memory does not grow with it."""


@dataclass(frozen=True, eq=False)
class ChunkLogProbs:
    """The network's output for one chunk: its span, and log-probabilities, context included."""

    span: Span
    log_probs: LogProbs


@dataclass(frozen=True, eq=False)
class SpeechRegion:
    """Speech between two silences, as the network heard it.

    Attributes:
        start_s: second of the recording at which its first frame is; below 0 where the front end puts a margin of
            repeated frames before the recording.
        span_s: seconds of the recording at which its first core begins and its last core ends.
        log_probs: the log-probabilities of the cores alone.
        speech: the probability of speech (n,) of each 10 ms from ``span_s[0]`` on, as far as it is known.
    """

    start_s: float
    span_s: tuple[float, float]
    log_probs: LogProbs
    speech: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32))

    @property
    def duration(self) -> float:
        """Seconds from the start of its first core to the end of its last."""
        return self.span_s[1] - self.span_s[0]


@dataclass(frozen=True)
class OutputFrames:
    """The places of the network's output frames in a recording.

    Chunks begin on the grid of these frames, so that the frames of two chunks agree.

    Attributes:
        sample_rate: Hz.
        hop_length: samples from one feature frame to the next.
        subsampling: feature frames for one output frame.
        margin: feature frames before that of the first sample.
    """

    sample_rate: int
    hop_length: int
    subsampling: int
    margin: int

    @classmethod
    def of(cls, bundle: Bundle) -> OutputFrames:
        """Return the places for the network of a bundle."""
        front_end = bundle.front_end
        subsampling = round(bundle.frame_s * front_end.sample_rate / front_end.hop_length)
        return cls(front_end.sample_rate, front_end.hop_length, subsampling, front_end.margin)

    @property
    def grid(self) -> int:
        """Samples from one output frame to the next."""
        return self.hop_length * self.subsampling

    def core(self, chunk: ChunkLogProbs) -> SpeechRegion:
        """Return the core of a chunk as a region; where a chunk has no context, its core is all there is."""
        span, log_probs = chunk.span, chunk.log_probs
        first = self._frame(span.core_start - span.start) if span.core_start > span.start else 0
        last = self._frame(span.core_stop - span.start) if span.core_stop < span.stop else len(log_probs)
        at = span.start + first * self.grid - self.margin * self.hop_length
        seconds = (span.core_start / self.sample_rate, span.core_stop / self.sample_rate)
        return SpeechRegion(at / self.sample_rate, seconds, log_probs.between(first, last), span.speech)

    def _frame(self, samples: int) -> int:
        """Return the first output frame that is not before so many samples of its chunk."""
        return -(-(samples // self.hop_length + self.margin) // self.subsampling)


class Stitcher:
    """Takes the chunks of one recording in order, and gives each region of speech as it ends."""

    def __init__(self, frames: OutputFrames, vocabulary: Vocabulary) -> None:
        """Begin a recording whose frames lie as ``frames`` says, and whose characters are those of ``vocabulary``."""
        self._frames, self._vocabulary = frames, vocabulary
        self._open: SpeechRegion | None = None

    @property
    def open_since_s(self) -> float | None:
        """Second of the recording at which a region begins that goes on with the next chunk; None where none does."""
        return None if self._open is None else self._open.span_s[0]

    def accept(self, chunk: ChunkLogProbs) -> SpeechRegion | None:
        """Take the next chunk; return the region that it ends, if it ends one."""
        region, self._open = self.preview(chunk), None
        if not chunk.span.continues:
            return region
        if region.duration < MAX_REGION_S:
            self._open = region
            return None
        region, self._open = self._split(region)
        return region

    def preview(self, chunk: ChunkLogProbs) -> SpeechRegion:
        """Return what `accept` would if speech ended with this chunk, and keep nothing of it."""
        region = self._frames.core(chunk)
        if self._open is None:
            return region
        log_probs = LogProbs.concatenate([self._open.log_probs, region.log_probs])
        seconds = (self._open.span_s[0], region.span_s[1])
        speech = np.concatenate([self._open.speech, region.speech])
        return SpeechRegion(self._open.start_s, seconds, log_probs, speech)

    def over(self, chunks: Iterable[ChunkLogProbs]) -> Iterator[SpeechRegion]:
        """Yield the regions of all ``chunks``, the last of which does not continue."""
        for chunk in chunks:
            if (region := self.accept(chunk)) is not None:
                yield region

    def _split(self, region: SpeechRegion) -> tuple[SpeechRegion, SpeechRegion | None]:
        """Part a region at its last space; all of it comes first where its second half has no space."""
        half, space = len(region.log_probs) // 2, self._vocabulary.space
        heard = region.log_probs.characters[half:].argmax(axis=1)
        spaces = np.flatnonzero(heard == (-1 if space is None else space))
        if not len(spaces):
            return region, None
        return self._part(region, half + int(spaces[-1]))

    def rest(self, region: SpeechRegion, since_s: float) -> SpeechRegion | None:
        """Return what a region has after this second of its recording; None where that is nothing."""
        if since_s <= region.start_s:
            return region
        frame = ceil((since_s - region.start_s) * self._frames.sample_rate / self._frames.grid)
        return self._part(region, frame)[1] if frame < len(region.log_probs) else None

    def _part(self, region: SpeechRegion, frame: int) -> tuple[SpeechRegion, SpeechRegion]:
        """Part a region before one of its frames."""
        at = region.start_s + frame * self._frames.grid / self._frames.sample_rate
        before, after = np.split(region.speech, [max(round((at - region.span_s[0]) * FRAMES_PER_S), 0)])
        first = SpeechRegion(region.start_s, (region.span_s[0], at), region.log_probs.between(0, frame), before)
        return first, SpeechRegion(at, (at, region.span_s[1]), region.log_probs.between(frame), after)
