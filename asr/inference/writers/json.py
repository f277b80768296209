"""JSON, on one line so that several make JSON Lines.

::

    {"text": "…", "segments": [{"id": 0, "start": 0.32, "end": 1.9, "text": "…", "confidence": 0.93,
     "words": [{"word": "…", "start": 0.32, "end": 0.8, "confidence": 0.97}],
     "n_best": [{"text": "…", "probability": 0.81}]}], "duration": 2.1}

``words`` and ``n_best`` are there where the segment has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asr.files import to_json
from asr.inference.transcript import Segment, Transcript
from asr.inference.writers.times import span

_LINE_ENDS = {ord(c): f"\\u{ord(c):04x}" for c in "\x85\u2028\u2029"}
"""Line ends that JSON allows in a string, where a reader that goes by Unicode's lines would cut it."""


def as_json(transcript: Transcript) -> dict[str, Any]:
    """Return the object to write: times in seconds to the millisecond, probabilities to four places."""
    segments = [_segment(i, s) for i, s in enumerate(transcript.segments)]
    return {"text": transcript.text, "segments": segments, "duration": round(transcript.duration, 3)}


def one_object(content: Mapping[str, Any]) -> str:
    """Return an object as one line, whatever its strings hold."""
    return to_json(content).translate(_LINE_ENDS) + "\n"


def render(transcript: Transcript) -> str:
    """Write the transcript as one object on one line."""
    return one_object(as_json(transcript))


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    start, end = _seconds(segment.start, segment.end)
    content: dict[str, Any] = {"id": number, "start": start, "end": end, "text": segment.text}
    content["confidence"] = round(segment.confidence, 4)
    if segment.words:
        content["words"] = [_word(w.text, *_seconds(w.start, w.end), w.confidence) for w in segment.words]
    if segment.n_best:
        content["n_best"] = [{"text": a.text, "probability": round(a.probability, 4)} for a in segment.n_best]
    return content


def _word(text: str, start: float, end: float, confidence: float) -> dict[str, Any]:
    return {"word": text, "start": start, "end": end, "confidence": round(confidence, 4)}


def _seconds(start: float, end: float) -> tuple[float, float]:
    first, last = span(start, end)
    return first / 1000, last / 1000
