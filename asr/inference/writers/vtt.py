"""WebVTT subtitles (https://www.w3.org/TR/webvtt1/), in which ``&``, ``<`` and ``>`` are escaped.

::

    WEBVTT
    (empty line)
    00:00.320 --> 00:01.900
    HELLO <00:00.870>THERE
    (empty line)

The time before a word, from which on it is shown as said, is there with ``word_timestamps`` and where no word is
underlined.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from asr.inference.transcript import Transcript
from asr.inference.writers.cues import Cue, cues, shown
from asr.inference.writers.options import PLAIN, SubtitleOptions
from asr.inference.writers.times import span, timestamp

_time = partial(timestamp, hours=False, decimal=".")


def render(transcript: Transcript, options: SubtitleOptions = PLAIN) -> str:
    """Write the header, then the cues."""
    texts = _timed if options.word_timestamps and not options.highlight_words else _escaped
    blocks = (
        f"{_time(cue.start)} --> {_time(cue.end)}\n{shown(cue, texts(cue))}\n\n" for cue in cues(transcript, options)
    )
    return "WEBVTT\n\n" + "".join(blocks)


def _escaped(cue: Cue) -> Iterator[str]:
    for word in cue.words:
        yield word.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _timed(cue: Cue) -> Iterator[str]:
    """Yield words after their times, which by the standard grow from after the cue's start to before its end."""
    last = cue.start
    for word, text in zip(cue.words, _escaped(cue), strict=True):
        at, _ = span(word.start, word.end)
        if last < at < cue.end:
            yield f"<{_time(at)}>{text}"
            last = at
        else:
            yield text
