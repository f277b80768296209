"""The transcript of a recording: segments, words, their times and confidence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from asr.errors import AsrError


@dataclass(frozen=True)
class Word:
    """A word, its ``start`` and ``end`` in seconds from the recording's start, and its confidence.

    ``confidence`` is the estimated probability, 0 to 1, that the word is right.
    """

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True)
class Alternative:
    """One of the n best texts of a segment, and its share, 0 to 1, of the probability of them all."""

    text: str
    probability: float


@dataclass(frozen=True)
class Segment:
    """A stretch of speech.

    Attributes:
        start: seconds from the recording's start.
        end: seconds from the recording's start.
        text: what was said.
        words: its words in order of time.
        confidence: the estimated share of its words that are right, 0 to 1.
        n_best: the likeliest texts, best first, ``text`` the first of them; empty unless several were asked for.
    """

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()
    confidence: float = 1.0
    n_best: tuple[Alternative, ...] = ()


@dataclass(frozen=True)
class Transcript:
    """A whole recording.

    Attributes:
        text: all that was said, one line.
        segments: its stretches of speech in order of time; none where nothing was said.
        duration: length of the recording in seconds.
    """

    text: str
    segments: tuple[Segment, ...]
    duration: float

    @classmethod
    def of(cls, segments: Sequence[Segment], duration: float) -> Transcript:
        """Return the transcript of a recording of ``duration`` seconds that has these segments."""
        return cls(" ".join(segment.text for segment in segments), tuple(segments), duration)


def texts(results: Iterable[Transcript | AsrError]) -> Iterator[str | AsrError]:
    """Yield the text of each transcript, and each error as it is."""
    for result in results:
        yield result.text if isinstance(result, Transcript) else result
