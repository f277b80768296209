r"""Praat's TextGrid, in its long text format, for phoneticians to look at and correct.

::

    File type = "ooTextFile"
    Object class = "TextGrid"
    (empty line)
    xmin = 0
    xmax = 1.900
    tiers? <exists>
    size = 2
    item []:
        item [1]:
            class = "IntervalTier"
            name = "lines"
            xmin = 0
            xmax = 1.900
            intervals: size = 2
            intervals [1]:
                xmin = 0.000
                xmax = 0.320
                text = ""
            …

The intervals of a tier follow one another from xmin to xmax without a gap, each longer than nothing; a quotation
mark within a text is written twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from asr.inference.transcript import Segment, Transcript, Word

_Interval = tuple[int, int, str]
"""First and last millisecond, and the text."""


def render(transcript: Transcript) -> str:
    """Write a tier ``lines`` of the segments and a tier ``words``."""
    words = [word for segment in transcript.segments for word in segment.words]
    tiers = {"lines": _placed(transcript.segments), "words": _placed(words)}
    end = max(round(1000 * transcript.duration), 1, *(stop for tier in tiers.values() for _, stop, _ in tier))
    items = "".join(_tier(i, name, _filled(tier, end), end) for i, (name, tier) in enumerate(tiers.items(), start=1))
    return (
        'File type = "ooTextFile"\nObject class = "TextGrid"\n\n'
        f"xmin = 0\nxmax = {_seconds(end)}\ntiers? <exists>\nsize = {len(tiers)}\nitem []:\n{items}"
    )


def _placed(spans: Iterable[Segment | Word]) -> list[_Interval]:
    """One after the other, a millisecond each at least."""
    placed: list[_Interval] = []
    at = 0
    for span in spans:
        start = max(at, round(1000 * span.start))
        at = max(start + 1, round(1000 * span.end))
        placed.append((start, at, span.text))
    return placed


def _filled(spans: Sequence[_Interval], end: int) -> list[_Interval]:
    """With the silences between them."""
    filled: list[_Interval] = []
    at = 0
    for start, stop, text in [*spans, (end, end, "")]:
        if start > at:
            filled.append((at, start, ""))
        if stop > start:
            filled.append((start, stop, text))
        at = stop
    return filled


def _tier(number: int, name: str, intervals: Sequence[_Interval], end: int) -> str:
    head = (
        f'    item [{number}]:\n        class = "IntervalTier"\n        name = "{name}"\n        xmin = 0\n'
        f"        xmax = {_seconds(end)}\n        intervals: size = {len(intervals)}\n"
    )
    return head + "".join(
        f"        intervals [{i}]:\n            xmin = {_seconds(start)}\n            xmax = {_seconds(stop)}\n"
        f'            text = "{_quoted(text)}"\n'
        for i, (start, stop, text) in enumerate(intervals, start=1)
    )


def _quoted(text: str) -> str:
    return text.replace('"', '""')


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.3f}"
