"""JSON Lines: a segment a line, each as in `json`, so that a reader need not hold them all.

::

    {"id": 0, "start": 0.32, "end": 1.9, "text": "…", "confidence": 0.93, "words": […]}
"""

from __future__ import annotations

from asr.inference.transcript import Transcript
from asr.inference.writers.json import as_json, one_object


def render(transcript: Transcript) -> str:
    """Write an object for each segment; nothing where nothing was said."""
    return "".join(map(one_object, as_json(transcript)["segments"]))
