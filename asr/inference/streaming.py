"""Text while it is spoken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import pairwise, takewhile
from math import inf

import numpy as np
from numpy.typing import ArrayLike

from asr.arrays import Samples
from asr.audio import Resampler
from asr.audio.samples import as_packet
from asr.errors import ConfigError, StreamFinishedError
from asr.inference.chunker import Chunk, Foreseen
from asr.inference.pipeline import ChunkFeatures
from asr.inference.segments import Interval
from asr.inference.stitcher import SpeechRegion
from asr.inference.transcriber import Transcriber
from asr.inference.transcript import Segment, Word

MIN_ENDPOINT_SILENCE_S, MIN_WAIT_S = 0.2, 5.0
"""The shortest silence that may end what is said, which a stop consonant is not; and the shortest longest wait."""

_GUESSED_S = 0.2
"""The speech detector is not believed about the last moments of what was heard, where it guesses what follows."""

_CHECK_S, _RETRY_S = 0.1, 1.0
"""Seconds heard between two looks for the end of speech, at least; and after speech of which no word was steady."""

_STEADY_S, _GAP_WITHIN_S = 1.5, 3.5
"""Within speech, a word is final only if so much was heard after it, which is what chunks hear beyond a cut; and words
are parted at the longest gap within so many seconds before that."""

_SAME_S = 0.05
"""Speech that ends within this of where it ended before is the same."""


@dataclass(frozen=True)
class Update:
    """The text that one packet brought.

    Attributes:
        final: segments that are decided; they never change.
        partial: what has been said since, as far as it was heard; it may still change.
        stable: the first words of the partial that the partial before had too.
    """

    final: tuple[Segment, ...] = ()
    partial: str = ""
    stable: str = ""


class StreamingTranscriber:
    """Transcribes one recording as its samples come, in packets of any size, which change nothing but the partials.

    What was said is final

    * when the speaker has paused for ``endpoint_silence_s``: it is then read as if the recording went on in silence;
    * within speech without a pause, before it has waited for ``max_wait_s``: up to the longest gap between words of
      which the context was heard;
    * at `finalise` and `finish`, at once.

    **The recording's one reading.** `Transcriber.transcribe` may hear more beside a word than could be waited for: it
    ends no chunk of less than 2 s, and takes a recording of at most 6 s as a whole. So a final is *by force* if speech
    goes on within 2 s of where it began, if the recording ends within 6 s, within speech, at `finalise`, and at an
    ``endpoint_silence_s`` below 0.5 s. What comes after it is read as the whole is, beside all that was said before it
    in its chunk, and the words that are final already are left out by their time. So the finals' text, joined, is that
    of the whole but for the words that were final by force, where the network hears them otherwise beside what follows
    (benchmarks/live_latency.py says how seldom). With ``endpoint_silence_s`` and ``max_wait_s`` None nothing is by
    force, and the segments are those of the whole.

    **Latency**, beside the packets' own length and the computing: a word is heard into the next partial, at most
    ``interval_s`` after its end; it is stable a partial later, unless its text changes; and it is final at most 0.3 s
    after a silence of ``endpoint_silence_s``, from the first word on. With None, it is final 0.5 to 3 s after the
    silence began, or, where nobody pauses for half a second, after 60 to 86 s; in the first 6 s nothing is.

    Attributes:
        interval_s: seconds of samples from one partial to the next, infinite for none; it may change on the way, so
            that many streams on one machine can have fewer partials and their finals in time.
    """

    def __init__(
        self,
        model: Transcriber,
        sample_rate: int | None = None,
        *,
        interval_s: float = 0.5,
        endpoint_silence_s: float | None = 0.5,
        max_wait_s: float | None = 10.0,
    ) -> None:
        """Begin a recording.

        Args:
            model: what transcribes; several recordings may share it.
            sample_rate: Hz of the packets; the model's own when None.
            interval_s: seconds of samples from one partial to the next; infinite for none.
            endpoint_silence_s: a pause this long makes final what was said before it, 0.2 s or more; so does, sooner
                perhaps, a pause that ends a chunk of the whole reading: of 0.5 s, but not within 2 s of where the chunk
                began. None leaves all to the whole reading.
            max_wait_s: the longest that a word waits where nobody pauses, 5 s or more; None leaves that to it too.

        Raises:
            SampleRateError: ``sample_rate`` is outside 4 kHz to 384 kHz.
            ConfigError: a silence or a wait is too short.
        """
        self._endpoint_silence_s = _at_least(MIN_ENDPOINT_SILENCE_S, endpoint_silence_s, "endpoint_silence_s")
        self._max_wait_s = _at_least(MIN_WAIT_S, max_wait_s, "max_wait_s")
        self._pipeline, self._rate, self.interval_s = model.pipeline, model.sample_rate, interval_s
        self._resampler = Resampler(sample_rate or model.sample_rate, model.sample_rate)
        self._reader, self._stitcher = self._pipeline.reader(), self._pipeline.stitcher()
        self._partial = self._stable = ""
        self._due_s = interval_s
        self._is_finished = False
        # What is final early: the words up to a second of the recording, and all of the chunks up to a sample.
        self._final_s, self._settled = -inf, 0
        self._next_check_s = 0.0 if min(self._endpoint_silence_s, self._max_wait_s) < inf else inf
        self._next_try_s = 0.0

    @property
    def heard_s(self) -> float:
        """Seconds heard so far."""
        return self._reader.duration

    def accept(self, samples: ArrayLike) -> Update:
        """Take a packet (n,) of floats in [-1, 1], int16 or int32.

        Raises:
            AudioFormatError: another shape or type.
            AudioNotFiniteError: NaN or infinite samples.
            StreamFinishedError: the recording was finished.
        """
        self._must_go_on()
        final: list[Segment] = []
        for part in self._up_to_checks(self._resampler.accept(as_packet(samples))):
            final += self._decode(self._reader.accept(part))
            if self.heard_s >= self._next_check_s:
                final += self._check()
        if self.interval_s < inf and (final or self.heard_s >= self._due_s):
            self._look_again(anew=bool(final))
        return Update(tuple(final), self._partial, self._stable)

    def finalise(self) -> Update:
        """Make final at once all that was said, by force; there is no partial then, and the recording goes on.

        A word in whose midst this comes is final as far as it was heard, and again if most of it is still to come.

        Raises:
            StreamFinishedError: the recording was finished.
        """
        self._must_go_on()
        self._partial = self._stable = ""
        return Update(tuple(self._publish(self._reader.foreseen().chunks)))

    def finish(self) -> Update:
        """Return the rest, once the last packet came; there is no partial then, and nothing the next time."""
        if self._is_finished:
            return Update()
        self._is_finished = True
        chunks = self._reader.accept(self._resampler.finish()) + self._reader.finish()
        self._partial = self._stable = ""
        return Update(tuple(self._decode(chunks)))

    def _must_go_on(self) -> None:
        if self._is_finished:
            raise StreamFinishedError("the recording was finished; another one needs a StreamingTranscriber of its own")

    def _decode(self, chunks: list[ChunkFeatures]) -> list[Segment]:
        """Return what chunks bring that are complete, and were not final early."""
        return self._read(list(self._stitcher.over(map(self._pipeline.log_probs, chunks))))

    def _read(self, regions: Sequence[SpeechRegion]) -> list[Segment]:
        """Return what is said in regions, and is not final yet."""
        return list(filter(None, self._pipeline.decode(regions, Interval(self._final_s)))) if regions else []

    # Final early

    def _up_to_checks(self, samples: Samples) -> Iterator[Samples]:
        """Yield samples in parts that end where the end of speech is looked for, whatever the packets' sizes."""
        at = 0
        while at < len(samples):
            left = max(np.ceil((self._next_check_s - self.heard_s) * self._rate), 1)
            part = samples[at : at + int(min(left, len(samples)))]
            at += len(part)
            yield part

    def _check(self) -> list[Segment]:
        """Return what is final since the speaker paused, or has spoken without a pause for so long."""
        foreseen = self._reader.foreseen()
        self._next_check_s = self._earliest_end_s(foreseen)
        found: list[Segment] = []
        if self._endpoint_silence_s < inf:
            goes_on = foreseen.is_open and foreseen.pause_s < self._endpoint_silence_s
            found += self._publish(foreseen.chunks[: -1 if goes_on else None])
        if self._has_waited(self._unsettled(foreseen.chunks)):
            found += self._publish_steady(foreseen.chunks)
        return found

    def _earliest_end_s(self, foreseen: Foreseen) -> float:
        """Return when the speech that was heard, or that begins just now, can have ended for long enough."""
        last_s = self.heard_s - max(foreseen.pause_s if foreseen.is_open else 0.0, _GUESSED_S)
        return max(last_s + min(self._endpoint_silence_s, MIN_WAIT_S / 10), self.heard_s + _CHECK_S)

    def _publish(self, chunks: Sequence[Chunk]) -> list[Segment]:
        """Return what is said in chunks that are foreseen, and is not final yet; it is final now."""
        found = self._read(self._regions(chunks))
        if found:
            self._final_s = found[-1].end
        if chunks:
            self._settled = max(self._settled, chunks[-1].span.core_stop)
        return found

    def _has_waited(self, chunks: Sequence[Chunk]) -> bool:
        """Return whether what is said in chunks that are not settled has waited long enough for a pause."""
        if not chunks:
            return False
        began_s = self._stitcher.open_since_s
        began_s = chunks[0].span.core_start / self._rate if began_s is None else began_s
        waited_s = self.heard_s - max(began_s, self._final_s)
        return waited_s + _CHECK_S + _GUESSED_S >= self._max_wait_s and self.heard_s >= self._next_try_s

    def _publish_steady(self, chunks: Sequence[Chunk]) -> list[Segment]:
        """Return the words of the open chunk of which the context was heard, up to a gap; they are final now."""
        self._next_try_s = self.heard_s + _RETRY_S
        regions = self._regions(chunks)
        hypotheses = self._pipeline.hypotheses(regions)
        found = [one for one in self._pipeline.segmented(regions, hypotheses, Interval(self._final_s)) if one]
        until_s = _steady_until(found[-1].words, self.heard_s) if found else None
        if until_s is None:
            return []
        steady = self._pipeline.segmented(regions, hypotheses, Interval(self._final_s, until_s))
        self._final_s = until_s
        return list(filter(None, steady))

    def _regions(self, chunks: Sequence[Chunk]) -> list[SpeechRegion]:
        """Return the regions of chunks that are foreseen, but for those that are settled."""
        new = self._unsettled(chunks)
        if not new:
            return []
        stitcher = copy(self._stitcher) if len(new) == len(chunks) else self._pipeline.stitcher()
        return list(stitcher.over(map(self._pipeline.log_probs, self._reader.preview(chunks)[-len(new) :])))

    def _unsettled(self, chunks: Sequence[Chunk]) -> list[Chunk]:
        return [chunk for chunk in chunks if chunk.span.core_stop > self._settled + _SAME_S * self._rate]

    # Partials

    def _look_again(self, anew: bool) -> None:
        self._due_s = self.heard_s + self.interval_s
        before = "" if anew else self._partial
        self._partial = self._open_text()
        pairs = zip(before.split(), self._partial.split(), strict=False)
        self._stable = " ".join(word for word, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    def _open_text(self) -> str:
        """Return what is said that is not final yet, as far as it was heard."""
        regions = [self._stitcher.rest(one, self._final_s) for one in self._regions(self._reader.foreseen().chunks)]
        return " ".join(one.text for one in self._pipeline.decode([one for one in regions if one]) if one)


def _at_least(least: float, given: float | None, name: str) -> float:
    if given is None:
        return inf
    if not given >= least:
        raise ConfigError(f"{name}={given}: seconds are needed, {least} or more, or None")
    return given


def _steady_until(words: Sequence[Word], heard_s: float) -> float | None:
    """Return the second, in the longest gap between words, until which they are steady; None where none is."""
    latest_s = heard_s - _STEADY_S
    gaps = [(left.end, right.start) for left, right in pairwise(words) if left.end <= latest_s]
    if not gaps:
        return words[-1].end if words[-1].end <= latest_s else None
    late = [gap for gap in gaps if gap[0] >= latest_s - _GAP_WITHIN_S] or gaps[-1:]
    start, end = max(late, key=lambda gap: gap[1] - gap[0])
    return (start + end) / 2
