"""How probably each 10 ms of a recording is speech, computed while the recording comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from asr.arrays import Samples
from asr.audio import resample
from asr.audio.voice_activity import CONTEXT_S, FRAME_S, HOP_LENGTH, SAMPLE_RATE
from asr.inference.sample_buffer import SampleBuffer

SpeechDetector = Callable[[Samples], np.ndarray]
"""Samples (N,) at 16 kHz → probabilities of speech (1 + N // 160,), one each 10 ms."""

FRAMES_PER_S = round(1 / FRAME_S)

_BLOCK = 100
"""Frames whose probabilities are computed at a time: a decision waits this long at most, and for the context."""

_CONTEXT = round(CONTEXT_S * FRAMES_PER_S)
"""Frames heard on either side of a block, so that its probabilities are those of the whole recording. It is even, as
the block is, because the detector computes every other frame."""


def all_speech(samples: Samples) -> np.ndarray:
    """Return 1 for every frame: a detector that skips nothing."""
    return np.ones(1 + len(samples) // HOP_LENGTH, np.float32)


class SpeechProbabilities:
    """Probabilities of speech of one recording.

    They are computed in blocks whose places do not depend on the packets' sizes, so that each is always the same.
    """

    def __init__(self, detector: SpeechDetector, sample_rate: int) -> None:
        """Begin a recording at ``sample_rate`` Hz."""
        self._detector, self._rate = detector, sample_rate
        self._first = self.now = 0
        self._known = np.empty(0, np.float32)

    def follow(self, heard: SampleBuffer, final: bool) -> Iterator[tuple[int, float]]:
        """Yield each frame that can be computed now, and its probability; all that are left where ``final``."""
        while (stop := self._next_stop(heard, final)) > self.now:
            start = self.now
            first, last = max(start - _CONTEXT, 0), stop + _CONTEXT
            span = heard.span(self._sample(first), min(self._sample(last), heard.stop))
            block = self._detector(resample(span, self._rate, SAMPLE_RATE))[start - first : stop - first]
            self._known = np.concatenate([self._known, block])
            for frame, probability in enumerate(block.tolist(), start):
                self.now = frame + 1
                yield frame, probability

    def ahead(self, heard: SampleBuffer) -> Iterator[tuple[int, float]]:
        """Yield the frames that cannot be computed yet, and for each a guess: what was heard may still change it.

        The sound is taken to go on as it was, backwards, so that its end itself is no change.
        """
        start, stop = self.now, heard.stop * FRAMES_PER_S // self._rate
        if stop <= start:
            return
        first = max(start - _CONTEXT, 0)
        span = heard.span(self._sample(first), heard.stop)
        beyond = min(self._sample(_CONTEXT), len(span) - 1)
        mirrored = np.pad(span, (0, beyond), mode="reflect")
        block = self._detector(resample(mirrored, self._rate, SAMPLE_RATE))[start - first : stop - first]
        yield from enumerate(block.tolist(), start)

    def _next_stop(self, heard: SampleBuffer, final: bool) -> int:
        stop = self.now + _BLOCK
        if self._sample(stop + _CONTEXT) <= heard.stop:
            return stop
        return min(stop, heard.stop * FRAMES_PER_S // self._rate) if final else self.now

    def _sample(self, frame: int) -> int:
        return frame * self._rate // FRAMES_PER_S

    def span(self, first: int, last: int) -> np.ndarray:
        """Return the probabilities of frames ``[first, last)``, fewer where they are not all known.

        None of them must have been dropped.
        """
        return self._known[max(first - self._first, 0) : max(last - self._first, 0)]

    @property
    def first_needed_sample(self) -> int:
        """The first sample that the next block will hear."""
        return self._sample(max(self.now - _CONTEXT, 0))

    def drop(self, before: int) -> None:
        """Let go of the frames before ``before``."""
        if before > self._first:
            self._known, self._first = self._known[before - self._first :], before
