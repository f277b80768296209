"""SubRip subtitles.

::

    1
    00:00:00,320 --> 00:00:01,900
    …
    (empty line)

The format has no escapes: an arrow within the text is shortened, and what looks like a tag stays one.
"""

from __future__ import annotations

import re
from functools import partial

from asr.inference.transcript import Transcript
from asr.inference.writers.cues import Cue, cues, shown
from asr.inference.writers.options import PLAIN, SubtitleOptions
from asr.inference.writers.times import timestamp

_time = partial(timestamp, hours=True, decimal=",")


def render(transcript: Transcript, options: SubtitleOptions = PLAIN) -> str:
    """Write numbered cues."""
    return "".join(
        f"{number}\n{_time(cue.start)} --> {_time(cue.end)}\n{_text(cue)}\n\n"
        for number, cue in enumerate(cues(transcript, options), start=1)
    )


def _text(cue: Cue) -> str:
    return shown(cue, (re.sub("-{2,}>", "->", word.text) for word in cue.words))
