"""Cut a recording into chunks that a model trained on utterances can read, as the recording comes.

::

    recording ....speech speech...........speech speech speech speech speech speech...
    chunks      [           ]            [              core       ~~~]
                                                                [~~~   core          ]

A silence ends a chunk. Silence farther than ``padding_s`` from speech belongs to no chunk: when it did in recordings of
at most 6 s, a second and a half of noise after each of AN4's test utterances took its WER from 5.0 to 9.2 %, and now to
5.6. Speech that goes on for longer than a chunk may last is cut at its least speech-like place, and both chunks hear
some of the other (``~``), so that what is computed at the seam is as if there were no cut.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field

import numpy as np

from asr.arrays import Samples
from asr.audio.voice_activity import SAMPLE_RATE
from asr.inference.sample_buffer import SampleBuffer
from asr.inference.speech_probabilities import FRAMES_PER_S, SpeechDetector, SpeechProbabilities
from asr.inference.speech_tracker import ChunkingOptions, SpeechTracker

_TIED = 0.02
"""Probabilities of speech that differ by less are taken as equal."""

_SMOOTHING = 20
"""A cut is placed where so many frames on average are little speech, so that it is no stop consonant."""


@dataclass(frozen=True)
class Span:
    """The place of a chunk, in samples of its recording: ``start <= core_start < core_stop <= stop``.

    Attributes:
        start: the first sample of the chunk, context included.
        core_start: the first sample that belongs to this chunk alone.
        core_stop: the sample after the last that belongs to this chunk alone.
        stop: the sample after the last of the chunk, context included.
        continues: whether the core ends with a cut within speech, so that the next core begins there.
        speech: the probability of speech (n,) of each 10 ms of the core, as far as it is known.
    """

    start: int
    core_start: int
    core_stop: int
    stop: int
    continues: bool = False
    speech: np.ndarray = field(default_factory=lambda: np.empty(0, np.float32), compare=False)


@dataclass(frozen=True, eq=False)
class Chunk:
    """A stretch of a recording with speech: its samples (N,), context included, and where they are."""

    span: Span
    samples: Samples


@dataclass(frozen=True, eq=False)
class Foreseen:
    """The chunks of which nothing has been returned yet, if nothing but silence came from now on.

    A silence that does come proves them right, but for a recording that ends while it would still be one chunk.

    Attributes:
        chunks: in order; where less was heard than belongs to the last, what was heard.
        is_open: whether the last of them is still open: speech that comes soon would belong to it.
        pause_s: seconds since speech was last heard, or since the recording began.
    """

    chunks: tuple[Chunk, ...]
    is_open: bool
    pause_s: float


class Chunker:
    """Takes the samples of one recording in packets of any size; the packets' sizes do not change the chunks."""

    def __init__(
        self,
        detector: SpeechDetector,
        sample_rate: int = SAMPLE_RATE,
        grid: int = 1,
        options: ChunkingOptions | None = None,
    ) -> None:
        """Begin a recording.

        Args:
            detector: says where speech is.
            sample_rate: rate of the samples in Hz.
            grid: chunks and cores begin at multiples of so many samples.
            options: when chunks end.
        """
        options = options or ChunkingOptions()
        self._rate, self._grid, self._single_chunk_s = sample_rate, grid, options.single_chunk_s
        self._heard = SampleBuffer()
        self._speech = SpeechProbabilities(detector, sample_rate)
        self._tracker = SpeechTracker(options)
        # What is complete while the recording may still be one chunk, and in how many frames there was speech for sure.
        self._held: list[Chunk] = []
        self._confident_frames = 0

    @property
    def duration(self) -> float:
        """Seconds of the recording so far."""
        return self._heard.stop / self._rate

    def accept(self, samples: Samples) -> list[Chunk]:
        """Take samples (n,) float32 that follow the last; return the chunks, often none, that they complete."""
        for at in range(0, len(samples), self._rate):
            self._heard.append(samples[at : at + self._rate])
            self._held += self._decide(final=False)
        return [] if self._is_single else self._release()

    def finish(self) -> list[Chunk]:
        """Return the chunks that are left once no more samples come."""
        self._held += self._decide(final=True)
        tracker = self._tracker
        stop = min(self._sample(tracker.final_end()), self._heard.stop)
        if self._is_single:
            start, has_speech = self._sample(tracker.first), tracker.is_enough(self._confident_frames)
            span = Span(start, start, stop, stop, speech=self._speech_in(start, stop))
            return [Chunk(span, self._heard.span(start, stop))] if has_speech else []
        if tracker.is_speech:
            self._held.append(self._chunk(tracker, stop, stop))
        return self._release()

    def foreseen(self) -> Foreseen:
        """Return what the chunks would be if nothing but silence came; nothing is decided by it.

        The last half second is heard with what follows it unknown, so that its probabilities are a guess.
        """
        tracker, chunks = copy(self._tracker), list(self._held)
        for frame, probability in self._speech.ahead(self._heard):
            tracker.hear(frame, probability)
            if tracker.ends_in_silence(frame + 1):
                chunks += self._end_in_silence(tracker, frame + 1)
        is_open, now = tracker.is_speech, self._heard.stop * FRAMES_PER_S // self._rate
        if is_open:
            chunks += self._end_in_silence(tracker, tracker.silent_end)
        return Foreseen(tuple(chunks), is_open, (now - tracker.last) / FRAMES_PER_S)

    def _release(self) -> list[Chunk]:
        chunks, self._held = self._held, []
        return chunks

    @property
    def _is_single(self) -> bool:
        return self._heard.stop <= self._single_chunk_s * self._rate

    # Decisions, frame by frame

    def _decide(self, final: bool) -> list[Chunk]:
        chunks = []
        for frame, probability in self._speech.follow(self._heard, final):
            self._confident_frames += self._tracker.is_confident(probability)
            chunks += self._hear(frame, probability)
        if not self._is_single:
            self._drop_unneeded()
        return chunks

    def _hear(self, frame: int, probability: float) -> list[Chunk]:
        """Take one frame more; return the chunk that ends with it, if one does."""
        now, tracker = frame + 1, self._tracker
        tracker.hear(frame, probability)
        if tracker.ends_in_silence(now):
            return self._end_in_silence(tracker, now)
        return self._cut_within_speech(now) if tracker.is_too_long(now) else []

    def _end_in_silence(self, tracker: SpeechTracker, now: int) -> list[Chunk]:
        """Close the open chunk; return it, as far as it was heard, if it is speech."""
        stop = min(self._sample(tracker.silence_cut(now)), self._heard.stop)
        chunks = [self._chunk(tracker, stop, stop)] if tracker.is_speech else []
        tracker.end_in_silence(now)
        return chunks

    def _cut_within_speech(self, now: int) -> list[Chunk]:
        tracker = self._tracker
        first, last = tracker.cut_between(now)
        cut = first + self._quietest(first, last)
        stop = self._sample(cut + tracker.context)
        chunks = [self._chunk(tracker, self._sample(cut), stop, continues=True)] if tracker.is_speech else []
        tracker.cut_within_speech(cut)
        return chunks

    def _quietest(self, first: int, last: int) -> int:
        """Return which of frames ``[first, last)`` is least speech-like, 0 for ``first``; of equals the quietest."""
        weights = np.full(_SMOOTHING, 1 / _SMOOTHING)
        speech = np.convolve(self._speech.span(first, last), weights, mode="valid")
        loudness = np.convolve(self._loudness(first, last), weights, mode="valid")
        loudness[speech > speech.min() + _TIED] = np.inf
        ties = np.flatnonzero(loudness == loudness.min())
        return int(ties[len(ties) // 2]) + _SMOOTHING // 2

    def _loudness(self, first: int, last: int) -> np.ndarray:
        """Return the mean square of the samples of each frame (last - first,)."""
        edges = [frame * self._rate // FRAMES_PER_S for frame in range(first, last + 1)]
        samples = self._heard.span(edges[0], edges[-1]).astype(np.float64)
        sums = np.add.reduceat(samples**2, np.array(edges[:-1]) - edges[0])
        return sums / np.diff(edges)

    # Samples

    def _sample(self, frame: int) -> int:
        """Return the last place on the grid that is not after ``frame``."""
        return frame * self._rate // FRAMES_PER_S // self._grid * self._grid

    def _chunk(self, tracker: SpeechTracker, core_stop: int, stop: int, continues: bool = False) -> Chunk:
        start, core_start = self._sample(tracker.start), self._sample(tracker.core)
        span = Span(start, core_start, core_stop, stop, continues, self._speech_in(core_start, core_stop))
        return Chunk(span, self._heard.span(start, stop))

    def _speech_in(self, start: int, stop: int) -> np.ndarray:
        """Return the known probabilities of speech of the frames between two samples."""
        return self._speech.span(start * FRAMES_PER_S // self._rate, stop * FRAMES_PER_S // self._rate)

    def _drop_unneeded(self) -> None:
        """Let go of what no chunk and no probability will ask for."""
        needed = self._tracker.first_needed(self._speech.now)
        self._heard.drop(min(self._sample(needed), self._speech.first_needed_sample))
        self._speech.drop(needed)
