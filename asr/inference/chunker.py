"""Cut a recording into chunks that a model trained on utterances can read, as the recording comes.

::

    recording ....speech speech...........speech speech speech speech speech speech...
    chunks      [           ]            [              core       ~~~]
                                                                [~~~   core          ]

A silence ends a chunk. Silence farther than ``padding_s`` from speech belongs to no chunk. Speech that goes on for
longer than a chunk may last is cut at its least speech-like place, and both chunks hear some of the other (``~``), so
that what is computed at the seam is as if there were no cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from asr.arrays import Samples
from asr.audio.voice_activity import SAMPLE_RATE
from asr.inference.sample_buffer import SampleBuffer
from asr.inference.speech_probabilities import FRAMES_PER_S, SpeechDetector, SpeechProbabilities

_TIED = 0.02
"""Probabilities of speech that differ by less are taken as equal."""

_SMOOTHING = 20
"""A cut is placed where so many frames on average are little speech, so that it is no stop consonant."""


@dataclass(frozen=True)
class ChunkingOptions:
    """When a chunk begins and ends.

    Attributes:
        max_chunk_s: the longest core of a chunk.
        min_chunk_s: the shortest core of a chunk, but for the last of a recording.
        single_chunk_s: a recording of at most this length is one chunk, or none where it has no speech.
        silence_s: a silence this long ends a chunk.
        padding_s: how much silence is kept beside speech at most.
        context_s: how much is heard beyond a cut within speech, on either side.
        onset: the probability of speech at which speech begins.
        offset: the probability of speech below which it ends.
        confident: the probability of speech that must be reached for ``min_confident_s`` in all, or what was taken
            for speech is dropped: clicks, barks and creaks mostly never reach it, and speech nearly always does
            (benchmarks/noise.py).
        min_confident_s: how long the detector must be so confident, in all.
    """

    max_chunk_s: float = 24.0
    min_chunk_s: float = 2.0
    single_chunk_s: float = 6.0
    silence_s: float = 0.5
    padding_s: float = 0.5
    context_s: float = 1.5
    onset: float = 0.5
    offset: float = 0.35
    confident: float = 0.7
    min_confident_s: float = 0.1

    def __post_init__(self) -> None:
        """Refuse options that leave no place to cut."""
        if not (0 < self.silence_s <= self.context_s and max(self.context_s, self.min_chunk_s) < self.max_chunk_s / 2):
            raise ValueError(f"chunking needs 0 < silence_s <= context_s < max_chunk_s / 2 > min_chunk_s, got {self}")


@dataclass(frozen=True)
class Span:
    """The place of a chunk, in samples of its recording: ``start <= core_start < core_stop <= stop``.

    Attributes:
        start: the first sample of the chunk, context included.
        core_start: the first sample that belongs to this chunk alone.
        core_stop: the sample after the last that belongs to this chunk alone.
        stop: the sample after the last of the chunk, context included.
        continues: whether the core ends with a cut within speech, so that the next core begins there.
        confident_speech_s: for how many seconds since the last silence the detector was confident of speech
            (`ChunkingOptions.confident`); infinite for a recording that is one chunk.
    """

    start: int
    core_start: int
    core_stop: int
    stop: int
    continues: bool = False
    confident_speech_s: float = inf


@dataclass(frozen=True, eq=False)
class Chunk:
    """A stretch of a recording with speech: its samples (N,), context included, and where they are."""

    span: Span
    samples: Samples


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
        self._rate, self._grid = sample_rate, grid
        self._single_chunk_s, self._onset, self._offset = options.single_chunk_s, options.onset, options.offset
        self._max_core, self._min_core = _frames(options.max_chunk_s), _frames(options.min_chunk_s)
        self._silence, self._padding = _frames(options.silence_s), _frames(options.padding_s)
        self._context = _frames(options.context_s)
        self._confident, self._min_confident = options.confident, _frames(options.min_confident_s)
        self._heard = SampleBuffer()
        self._speech = SpeechProbabilities(detector, sample_rate)
        self._speaking = self._is_open = False
        # In frames: where the open chunk and its core begin, where speech was last heard, where the last chunk ended,
        # and for how many since the last silence the detector was confident of speech.
        self._start = self._core = self._last = self._free = self._confident_frames = 0

    @property
    def duration(self) -> float:
        """Seconds of the recording so far."""
        return self._heard.stop / self._rate

    def accept(self, samples: Samples) -> list[Chunk]:
        """Take samples (n,) float32 that follow the last; return the chunks, often none, that they complete."""
        chunks: list[Chunk] = []
        for at in range(0, len(samples), self._rate):
            self._heard.append(samples[at : at + self._rate])
            if not self._is_single:
                chunks += self._decide(final=False)
        return chunks

    def finish(self) -> list[Chunk]:
        """Return the chunks that are left once no more samples come."""
        total = self._heard.stop
        if self._is_single:
            return [self._chunk(0, 0, total, total)] if self._has_speech() else []
        chunks = self._decide(final=True)
        if self._is_speech:
            stop = min(self._sample(self._last + self._padding), total)
            chunks.append(self._chunk(self._sample(self._start), self._sample(self._core), stop, stop))
        return chunks

    def _has_speech(self) -> bool:
        """Ask the detector whether a recording that is one chunk has speech in it."""
        probabilities = [probability for _, probability in self._speech.follow(self._heard, final=True)]
        return sum(probability >= self._confident for probability in probabilities) >= self._min_confident

    def open_chunk(self) -> Chunk | None:
        """Return what has been heard of a chunk that is not complete; None where there is no speech."""
        total = self._heard.stop
        start, core = self._sample(self._start), self._sample(self._core)
        is_chunk = core < total and (self._is_speech or self._is_single)
        return self._chunk(start, core, total, total) if is_chunk else None

    @property
    def _is_single(self) -> bool:
        return self._heard.stop <= self._single_chunk_s * self._rate

    @property
    def _is_speech(self) -> bool:
        return self._is_open and self._confident_frames >= self._min_confident

    # Decisions, frame by frame

    def _decide(self, final: bool) -> list[Chunk]:
        chunks = []
        for frame, probability in self._speech.follow(self._heard, final):
            if (chunk := self._hear(frame, probability)) is not None:
                chunks.append(chunk)
        self._drop_unneeded()
        return chunks

    def _hear(self, frame: int, probability: float) -> Chunk | None:
        """Take one frame more; return the chunk that ends with it."""
        now = frame + 1
        self._speaking = probability >= (self._offset if self._speaking else self._onset)
        if self._speaking:
            if not self._is_open:
                self._is_open, self._start = True, max(self._free, frame - self._padding)
                self._core, self._confident_frames = self._start, 0
            self._last, self._confident_frames = now, self._confident_frames + (probability >= self._confident)
        if not self._is_open:
            return None
        if now - self._last >= self._silence and now - self._core >= self._min_core:
            return self._end_in_silence(now)
        return self._cut_within_speech(now) if now - self._core >= self._max_core else None

    def _end_in_silence(self, now: int) -> Chunk | None:
        cut = min((self._last + now) // 2, self._last + self._padding)
        start, core, stop = (self._sample(frame) for frame in (self._start, self._core, cut))
        chunk = self._chunk(start, core, stop, stop) if self._is_speech else None
        self._is_open, self._free = False, cut
        return chunk

    def _cut_within_speech(self, now: int) -> Chunk | None:
        first, last = self._core + self._max_core // 2, now - self._context
        cut = first + self._quietest(first, last)
        start, core, stop = (self._sample(frame) for frame in (self._start, self._core, cut + self._context))
        chunk = self._chunk(start, core, self._sample(cut), stop, continues=True) if self._is_speech else None
        self._start, self._core, self._free = cut - self._context, cut, cut
        return chunk

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

    def _chunk(self, start: int, core_start: int, core_stop: int, stop: int, continues: bool = False) -> Chunk:
        confident_speech_s = inf if self._is_single else self._confident_frames / FRAMES_PER_S
        return Chunk(
            Span(start, core_start, core_stop, stop, continues, confident_speech_s), self._heard.span(start, stop)
        )

    def _drop_unneeded(self) -> None:
        """Let go of what no chunk and no probability will ask for."""
        needed = self._start if self._is_open else max(self._free, self._speech.now - self._padding)
        self._heard.drop(min(self._sample(needed), self._speech.first_needed_sample))
        self._speech.drop(needed)


def _frames(seconds: float) -> int:
    return round(seconds * FRAMES_PER_S)
