"""WebVTT subtitles (W3C), in which ``&`` and ``<`` are escaped.

::

    WEBVTT
    (empty line)
    00:00.320 --> 00:01.900
    …
    (empty line)
"""

from __future__ import annotations

from functools import partial

from asr.inference.transcript import Transcript
from asr.inference.writers.times import cue_text, timestamp

_time = partial(timestamp, hours=False, decimal=".")


def render(transcript: Transcript) -> str:
    """The header, then a cue a segment."""
    cues = (f"{_time(s.start)} --> {_time(s.end)}\n{_escaped(s.text)}\n\n" for s in transcript.segments)
    return "WEBVTT\n\n" + "".join(cues)


def _escaped(text: str) -> str:
    return cue_text(text).replace("&", "&amp;").replace("<", "&lt;")
