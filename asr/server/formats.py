"""Transcripts in the formats of OpenAI's transcription route, whole and as server-sent events.

::

    {"text": "…", "usage": {"type": "duration", "seconds": 2}}

    data: {"type": "transcript.text.delta", "delta": "FIVE "}
    (empty line)
    data: {"type": "transcript.text.done", "text": "FIVE SIX", "usage": {…}}
    (empty line)

An event of another type than ``message`` has a line ``event: …`` before its data. Segments and words have the
confidence that `asr transcribe -f json` gives them.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from asr.errors import AsrError
from asr.inference.transcript import Segment, Transcript, Word
from asr.inference.writers import render_transcript
from asr.inference.writers.json import as_json
from asr.server.errors import error_object
from asr.server.parameters import Wanted

JSON = "application/json"
_MEDIA_TYPES = {"text": "text/plain", "srt": "application/x-subrip", "vtt": "text/vtt"}

_LEAST = 1e-4
"""Confidences are written to four places; the logarithm is that of at least the least of them."""


def render(transcript: Transcript, wanted: Wanted, language: str) -> tuple[bytes, str]:
    """Return the body of an answer, and its media type."""
    if wanted.response_format == "text":
        return f"{transcript.text}\n".encode(), f"{_MEDIA_TYPES['text']}; charset=utf-8"
    if wanted.response_format in _MEDIA_TYPES:
        text = render_transcript(transcript, wanted.response_format)
        return text.encode(), f"{_MEDIA_TYPES[wanted.response_format]}; charset=utf-8"
    content = (
        _verbose(transcript, wanted, language)
        if wanted.response_format == "verbose_json"
        else _plain(transcript, wanted)
    )
    return json.dumps(content, ensure_ascii=False).encode(), JSON


def _plain(transcript: Transcript, wanted: Wanted) -> dict[str, Any]:
    content: dict[str, Any] = {"text": transcript.text, "usage": usage(transcript.duration)}
    if wanted.logprobs:
        content["logprobs"] = _logprobs(word for segment in transcript.segments for word in segment.words)
    return content


def _verbose(transcript: Transcript, wanted: Wanted, language: str) -> dict[str, Any]:
    written = as_json(transcript)
    content = {"task": "transcribe", "language": language, "duration": written["duration"], "text": transcript.text}
    if "word" in wanted.granularities:
        content["words"] = [word for segment in written["segments"] for word in segment.get("words", ())]
    if "segment" in wanted.granularities:
        content["segments"] = [_segment(segment) for segment in written["segments"]]
    return {**content, "usage": usage(transcript.duration)}


def _segment(written: Mapping[str, Any]) -> dict[str, Any]:
    """Return a segment with the fields that readers of Whisper's expect."""
    text = written["text"].encode()
    return {
        "id": written["id"],
        "seek": round(100 * written["start"]),
        "start": written["start"],
        "end": written["end"],
        "text": written["text"],
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": _logarithm(written["confidence"]),
        "compression_ratio": round(len(text) / len(zlib.compress(text)), 4),
        "no_speech_prob": 0.0,
        "confidence": written["confidence"],
    }


def usage(seconds: float) -> dict[str, Any]:
    """Return what a request used: seconds of audio, begun ones counted."""
    return {"type": "duration", "seconds": math.ceil(seconds)}


def _logprobs(words: Iterable[Word]) -> list[dict[str, Any]]:
    return [
        {"token": word.text, "logprob": _logarithm(word.confidence), "bytes": list(word.text.encode())}
        for word in words
    ]


def _logarithm(confidence: float) -> float:
    return round(math.log(max(confidence, _LEAST)), 4)


# Events


def delta(segment: Segment, number: int, wanted: Wanted) -> bytes:
    """Return the events of the segment that ``number`` others came before."""
    content: dict[str, Any] = {
        "type": "transcript.text.delta",
        "delta": f"{' ' if number else ''}{segment.text}",
        **({"logprobs": _logprobs(segment.words)} if wanted.logprobs else {}),
    }
    if wanted.response_format != "verbose_json":
        return _event(content)
    written = as_json(Transcript.of([segment], segment.end))["segments"][0]
    return _event(content) + _event({"type": "transcript.text.segment", **written, "id": str(number)})


def done(transcript: Transcript, wanted: Wanted) -> bytes:
    """Return the event after the last segment."""
    return _event({"type": "transcript.text.done", **_plain(transcript, wanted)})


def failed(error: AsrError) -> bytes:
    """Return the event that says why there is no more."""
    return b"event: error\n" + _event(error_object(error))


def _event(content: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(content, ensure_ascii=False)}\n\n".encode()
