"""JSON, on one line so that several make JSON Lines.

::

    {"text": "…", "segments": [{"id": 0, "start": 0.32, "end": 1.9, "text": "…"}], "duration": 2.1}
"""

from __future__ import annotations

import json
from typing import Any

from asr.inference.transcript import Transcript


def as_json(transcript: Transcript) -> dict[str, Any]:
    """What is written, times in seconds to the millisecond."""
    segments = [
        {"id": i, "start": round(s.start, 3), "end": round(s.end, 3), "text": s.text}
        for i, s in enumerate(transcript.segments)
    ]
    return {"text": transcript.text, "segments": segments, "duration": round(transcript.duration, 3)}


def render(transcript: Transcript) -> str:
    """One object, one line."""
    return json.dumps(as_json(transcript), ensure_ascii=False) + "\n"
