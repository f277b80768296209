"""Join the log-probabilities of pieces that were parted within speech."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf

import numpy as np

from asr.bundle import Bundle
from asr.inference.pieces import Span
from asr.text import Vocabulary

MOST_S = 60.0
"""A run this long ends with its last whole word, though its speech goes on: memory does not grow with it."""


@dataclass(frozen=True, eq=False)
class Run:
    """Speech between two silences.

    Attributes:
        start_s: where its first frame is; a margin of repeated frames lies before the recording, below 0.
        span_s: the seconds its cores cover; what is said lies within.
        log_probs: (T', V + P), of the cores alone.
        surely_s: how many seconds are surely speech; infinite where nobody asked.
    """

    start_s: float
    span_s: tuple[float, float]
    log_probs: np.ndarray
    surely_s: float = inf

    @property
    def duration(self) -> float:
        """Seconds from its first core to its last."""
        return self.span_s[1] - self.span_s[0]


@dataclass(frozen=True)
class OutputFrames:
    """Where the frames that a model puts out lie in a recording; pieces begin on its grid, so that theirs agree.

    Attributes:
        sample_rate: Hz.
        hop_length: samples from feature frame to feature frame.
        subsampling: feature frames to an output frame.
        margin: feature frames before the first sample's.
    """

    sample_rate: int
    hop_length: int
    subsampling: int
    margin: int

    @classmethod
    def of(cls, bundle: Bundle) -> OutputFrames:
        """Those of a bundle's model."""
        front_end = bundle.front_end
        subsampling = round(bundle.frame_s * front_end.sample_rate / front_end.hop_length)
        return cls(front_end.sample_rate, front_end.hop_length, subsampling, front_end.margin)

    @property
    def grid(self) -> int:
        """Samples from output frame to output frame."""
        return self.hop_length * self.subsampling

    def core(self, span: Span, log_probs: np.ndarray) -> Run:
        """What of a piece's log-probabilities (T', V) is its core's; at a piece's own ends, nothing is context."""
        first = self._frame(span.core_start - span.start) if span.core_start > span.start else 0
        last = self._frame(span.core_stop - span.start) if span.core_stop < span.stop else len(log_probs)
        at = span.start + first * self.grid - self.margin * self.hop_length
        seconds = (span.core_start / self.sample_rate, span.core_stop / self.sample_rate)
        return Run(at / self.sample_rate, seconds, log_probs[first:last], span.surely_s)

    def _frame(self, samples: int) -> int:
        """The first output frame that is not before so many samples of its piece."""
        return -(-(samples // self.hop_length + self.margin) // self.subsampling)


class Runs:
    """Takes pieces in order, gives each run as it ends."""

    def __init__(self, frames: OutputFrames, vocabulary: Vocabulary) -> None:
        """Join frames that lie as ``frames`` says, their first columns the labels of ``vocabulary``."""
        self._frames, self._vocabulary = frames, vocabulary
        self._begun: Run | None = None

    def accept(self, span: Span, log_probs: np.ndarray) -> Run | None:
        """The next piece and its log-probabilities (T', V) → the run that it ends, if it ends one."""
        run, self._begun = self.so_far(span, log_probs), None
        if not span.goes_on:
            return run
        if run.duration < MOST_S:
            self._begun = run
            return None
        run, self._begun = self._split(run)
        return run

    def so_far(self, span: Span, log_probs: np.ndarray) -> Run:
        """What `accept` would give if speech ended with this piece."""
        run = self._frames.core(span, log_probs)
        if self._begun is None:
            return run
        joined = np.concatenate([self._begun.log_probs, run.log_probs])
        return Run(self._begun.start_s, (self._begun.span_s[0], run.span_s[1]), joined, span.surely_s)

    def over(self, pieces: Iterable[tuple[Span, np.ndarray]]) -> Iterator[Run]:
        """Yield the runs of all ``pieces``, the last of which does not go on."""
        for span, log_probs in pieces:
            if (run := self.accept(span, log_probs)) is not None:
                yield run

    def _split(self, run: Run) -> tuple[Run, Run | None]:
        """A run up to its last space, and from there on; all of it where its second half has no space."""
        half, space = len(run.log_probs) // 2, self._vocabulary.space
        heard = run.log_probs[half:, : len(self._vocabulary)].argmax(axis=1)
        spaces = np.flatnonzero(heard == (-1 if space is None else space))
        if not len(spaces):
            return run, None
        frame = half + int(spaces[-1])
        at = run.start_s + frame * self._frames.grid / self._frames.sample_rate
        first = Run(run.start_s, (run.span_s[0], at), run.log_probs[:frame], run.surely_s)
        return first, Run(at, (at, run.span_s[1]), run.log_probs[frame:], run.surely_s)
