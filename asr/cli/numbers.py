"""Types of numbers on the command line."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable


def whole_number(least: int) -> Callable[[str], int]:
    """Return a type for argparse that reads a whole number from ``least`` on.

    >>> whole_number(0)("12")
    12
    """
    wanted = f"a whole number from {least} on" if least else "a whole number, 0 or more,"

    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"{wanted} is needed, got {text!r}")
        return int(text)

    return number


def seconds_or_none(least: float) -> Callable[[str], float | None]:
    """Return a type for argparse that reads seconds from ``least`` on, or ``none``.

    >>> seconds_or_none(0.2)("0.5"), seconds_or_none(0.2)("none")
    (0.5, None)
    """

    def number(text: str) -> float | None:
        if text == "none":
            return None
        try:
            seconds = float(text)
        except ValueError:
            seconds = math.nan
        if not least <= seconds < math.inf:
            raise argparse.ArgumentTypeError(f"seconds from {least} on, or none, are needed, got {text!r}")
        return seconds

    return number
