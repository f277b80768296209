"""Types of numbers on the command line."""

from __future__ import annotations

import argparse
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
