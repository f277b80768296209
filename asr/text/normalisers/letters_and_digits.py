"""Letters of any script in lower case, and digits: for scores of any text.

It writes what ``letters`` writes, and numbers as well, so that ROOM 101 is not ROOM 999. A number is compared as it is
written: 101 is not ONE HUNDRED AND ONE, and 1,000 is two words.
"""

from __future__ import annotations

from asr.text.normalisers._scripts import write_letters


def normalise(text: str) -> str:
    """Return the letters and digits of ``text`` in lower case.

    >>> normalise("Room 101, the 1990's – ٣")
    "room 101 the 1990's ٣"
    """
    return write_letters(text, digits=True)
