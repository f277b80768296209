"""Seconds as subtitles write them."""

from __future__ import annotations


def milliseconds(seconds: float) -> int:
    """Rounded to the nearest.

    >>> milliseconds(1.0006)
    1001
    """
    return round(1000 * seconds)


def timestamp(seconds: float, *, hours: bool, decimal: str) -> str:
    """``HH:MM:SS.mmm``; the hours only where asked for or needed.

    >>> timestamp(3661.5, hours=True, decimal=",")
    '01:01:01,500'
    >>> timestamp(61.5, hours=False, decimal=".")
    '01:01.500'
    """
    whole, fraction = divmod(milliseconds(seconds), 1000)
    hour, minute, second = whole // 3600, whole // 60 % 60, whole % 60
    return f"{f'{hour:02}:' if hours or hour else ''}{minute:02}:{second:02}{decimal}{fraction:03}"


def cue_text(text: str) -> str:
    """``text`` without what would end a cue's timing line."""
    return text.replace("-->", "->")
