"""Follow, frame by frame, where the open chunk of a recording begins, and when it has to end."""

from __future__ import annotations

from dataclasses import dataclass

from asr.inference.speech_probabilities import FRAMES_PER_S


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


class SpeechTracker:
    """Keeps what the frames so far say of the open chunk. All places are in frames of 10 ms; ``copy.copy`` copies it.

    Attributes:
        is_open: whether a chunk is open.
        first: where the first chunk of the recording begins.
        start: where the open chunk begins.
        core: where its core begins.
        last: the end of the last frame in which speech was heard.
        free: where the chunk before it ended.
        context: how much is heard beyond a cut within speech, on either side.
        confident: for how many frames since the last silence the detector was confident of speech.
    """

    def __init__(self, options: ChunkingOptions) -> None:
        """Begin a recording."""
        self._onset, self._offset, self._confident = options.onset, options.offset, options.confident
        self._silence, self._padding = in_frames(options.silence_s), in_frames(options.padding_s)
        self._max_core, self._min_core = in_frames(options.max_chunk_s), in_frames(options.min_chunk_s)
        self.context, self._min_confident = in_frames(options.context_s), in_frames(options.min_confident_s)
        self._speaking = self.is_open = False
        self.first = self.start = self.core = self.last = self.free = self.confident = 0

    @property
    def is_speech(self) -> bool:
        """Whether a chunk is open in which the detector was confident of speech for long enough."""
        return self.is_open and self.is_enough(self.confident)

    def is_enough(self, confident: int) -> bool:
        """Return whether so many frames of confident speech are enough for a chunk."""
        return confident >= self._min_confident

    def hear(self, frame: int, probability: float) -> None:
        """Take one frame more, and the probability that it is speech."""
        self._speaking = probability >= (self._offset if self._speaking else self._onset)
        if not self._speaking:
            return
        if not self.is_open:
            self.is_open, self.start = True, max(self.free, frame - self._padding)
            self.first = self.first if self.last else self.start
            self.core, self.confident = self.start, 0
        self.last, self.confident = frame + 1, self.confident + self.is_confident(probability)

    def is_confident(self, probability: float) -> bool:
        """Return whether the detector is confident of speech."""
        return probability >= self._confident

    def ends_in_silence(self, now: int) -> bool:
        """Return whether the open chunk has to end, since only silence was heard for a while before ``now``."""
        return self.is_open and now >= self.silent_end

    @property
    def silent_end(self) -> int:
        """When the open chunk would end if nothing but silence came."""
        return max(self.last + self._silence, self.core + self._min_core)

    def is_too_long(self, now: int) -> bool:
        """Return whether the open chunk has to be cut within speech."""
        return self.is_open and now - self.core >= self._max_core

    def silence_cut(self, now: int) -> int:
        """Return where the open chunk, which `ends_in_silence`, ends: in the silence."""
        return min((self.last + now) // 2, self.last + self._padding)

    def end_in_silence(self, now: int) -> None:
        """Close the open chunk, which `ends_in_silence`."""
        self.is_open, self.free = False, self.silence_cut(now)

    def cut_between(self, now: int) -> tuple[int, int]:
        """Return the first and the last place at which the open chunk, which `is_too_long`, may be cut."""
        return self.core + self._max_core // 2, now - self.context

    def cut_within_speech(self, cut: int) -> None:
        """Begin the core of the next chunk at ``cut``; it too hears what is around."""
        self.start, self.core, self.free = cut - self.context, cut, cut

    def final_end(self) -> int:
        """Return where the last chunk ends if the recording ends now."""
        return self.last + self._padding if self.is_open else self.free

    def first_needed(self, now: int) -> int:
        """Return the first frame that a chunk may still have, ``now`` the frames heard so far."""
        return self.start if self.is_open else max(self.free, now - self._padding)


def in_frames(seconds: float) -> int:
    """Return how many frames of 10 ms last so many seconds."""
    return round(seconds * FRAMES_PER_S)
