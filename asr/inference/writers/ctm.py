"""Time-marked words, as NIST's sclite scores them and Kaldi writes them.

::

    talk 1 0.320 0.480 HELLO 0.9700

that is recording, channel, start, duration, word, confidence; times in seconds. Lines that begin with ``;;`` are
comments: one says how many segments came without times of their words, which are then shared out among the
characters.
"""

from __future__ import annotations

from asr.inference.transcript import Transcript, Word
from asr.inference.writers.times import span
from asr.inference.writers.words import words_of


def render(transcript: Transcript, recording: str) -> str:
    """Write a line for each word, in order of start; white space within a field becomes ``_``."""
    name = _field(recording).replace(";;", "__")
    words = [word for segment in transcript.segments for word in words_of(segment)]
    lines = "".join(_line(name, word) for word in sorted(words, key=lambda w: max(0.0, w.start)))
    return _comment(name, transcript) + lines


def _line(name: str, word: Word) -> str:
    start, end = span(word.start, word.end)
    return f"{name} 1 {start / 1000:.3f} {(end - start) / 1000:.3f} {_field(word.text)} {word.confidence:.4f}\n"


def _comment(name: str, transcript: Transcript) -> str:
    untimed = sum(not s.words and bool(s.text.split()) for s in transcript.segments)
    if not untimed:
        return ""
    return f";; {name}: {untimed} of {len(transcript.segments)} segments without word times, shared out by characters\n"


def _field(text: str) -> str:
    return "_".join(text.split())
