"""Seconds as files write them."""

from __future__ import annotations


def milliseconds(seconds: float) -> int:
    """Round seconds to the nearest millisecond.

    >>> milliseconds(1.0006)
    1001
    """
    return round(1000 * seconds)


def span(start: float, end: float) -> tuple[int, int]:
    """Return a stretch in milliseconds that neither starts before 0 nor ends before it starts.

    >>> span(-0.01, 1.5), span(2.0, 1.0)
    ((0, 1500), (2000, 2000))
    """
    first = max(0, milliseconds(start))
    return first, max(first, milliseconds(end))


def timestamp(at: int, *, hours: bool, decimal: str) -> str:
    """Format milliseconds as ``HH:MM:SS.mmm``, with hours only where asked for or needed.

    >>> timestamp(3661500, hours=True, decimal=",")
    '01:01:01,500'
    >>> timestamp(61500, hours=False, decimal=".")
    '01:01.500'
    """
    whole, fraction = divmod(at, 1000)
    hour, minute, second = whole // 3600, whole // 60 % 60, whole % 60
    return f"{f'{hour:02}:' if hours or hour else ''}{minute:02}:{second:02}{decimal}{fraction:03}"
