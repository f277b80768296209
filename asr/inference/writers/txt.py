"""Plain text: a line a segment."""

from __future__ import annotations

from asr.inference.transcript import Transcript


def render(transcript: Transcript) -> str:
    """Text of each segment on its own line."""
    return "".join(f"{segment.text}\n" for segment in transcript.segments)
