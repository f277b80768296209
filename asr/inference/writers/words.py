"""The words of a segment, whether or not the recogniser timed them."""

from __future__ import annotations

from dataclasses import replace

from asr.inference.transcript import Segment, Word


def one_line(text: str) -> str:
    r"""Make every run of white space in ``text``, line ends of all kinds too, one space.

    >>> one_line(" two\n\nlines\u2028three ")
    'two lines three'
    """
    return " ".join(text.split())


def words_of(segment: Segment) -> list[Word]:
    """Return the segment's words; where it has none, those of its text, timed as if every character took as long.

    Such a word has the segment's confidence. Words without a visible character are left out.

    >>> [(w.text, w.start, w.end) for w in words_of(Segment(1.0, 2.0, "A WORD"))]
    [('A', 1.0, 1.1666666666666667), ('WORD', 1.3333333333333333, 2.0)]
    """
    words = segment.words or _shared_out(segment)
    return [replace(w, text=one_line(w.text)) for w in words if w.text.strip()]


def _shared_out(segment: Segment) -> tuple[Word, ...]:
    text = one_line(segment.text)
    words, at = [], 0
    for word in text.split():
        start, end = (segment.start + (segment.end - segment.start) * i / len(text) for i in (at, at + len(word)))
        words.append(Word(word, start, end, segment.confidence))
        at += len(word) + 1
    return tuple(words)
