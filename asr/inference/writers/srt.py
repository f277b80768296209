"""SubRip subtitles.

::

    1
    00:00:00,320 --> 00:00:01,900
    …
    (empty line)
"""

from __future__ import annotations

from functools import partial

from asr.inference.transcript import Transcript
from asr.inference.writers.times import cue_text, timestamp

_time = partial(timestamp, hours=True, decimal=",")


def render(transcript: Transcript) -> str:
    """A numbered cue a segment."""
    return "".join(
        f"{number}\n{_time(s.start)} --> {_time(s.end)}\n{cue_text(s.text)}\n\n"
        for number, s in enumerate(transcript.segments, start=1)
    )
