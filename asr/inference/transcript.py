"""What a recording says, and when."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Segment:
    """A stretch of speech: its text, and its ``start`` and ``end`` in seconds from the recording's start."""

    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Transcript:
    """A whole recording.

    Attributes:
        text: all that was said, one line.
        segments: the same in order of time; none where nothing was said.
        duration: seconds of the recording.
    """

    text: str
    segments: tuple[Segment, ...]
    duration: float
