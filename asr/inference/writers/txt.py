"""Plain text: a line a segment."""

from __future__ import annotations

from asr.inference.transcript import Transcript
from asr.inference.writers.words import one_line


def render(transcript: Transcript) -> str:
    """Write the text of each segment on its own line."""
    return "".join(f"{one_line(segment.text)}\n" for segment in transcript.segments)
