"""Shared code of the normalisers for any script, which tell letters by their Unicode categories."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from asr.text.normalisers._apostrophes import APOSTROPHES
from asr.text.scripts import HAN_AND_KANA

_TATWEEL = "\u0640"
"""Arabic's tatweel, a line that widens a word and is not one of its letters."""

_GLYPH_SELECTORS = [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]
"""Marks that choose among shapes of one letter."""

_KEPT_WHOLE = "ำຳŀĿ"
"""Letters that Unicode decomposes into something other than equivalent letters."""

_BETWEEN = re.compile(rf"(?<=[{HAN_AND_KANA}]) (?=[{HAN_AND_KANA}])")
_EDGE_APOSTROPHE = re.compile(r"(?<![^\s'])'|'(?![^\s'])")


class _Characters(dict[int, str]):
    """The text to write for each character, computed at its first use; ``marks`` are the combining marks so far."""

    def __init__(self, categories: str) -> None:
        """Keep marks, and characters whose category begins with one of the letters in ``categories``."""
        super().__init__({code: "" for code in _GLYPH_SELECTORS})
        self._categories = categories
        self.marks: set[str] = set()

    def __missing__(self, code: int) -> str:
        self[code] = "".join(map(self._written, _usual(chr(code))))
        return self[code]

    def _written(self, character: str) -> str:
        category = unicodedata.category(character)
        if character in APOSTROPHES:
            return "'"
        if character == _TATWEEL or category == "Cf":  # soft hyphens, joiners, direction: no part of the word
            return ""
        if category[0] == "M":
            self.marks.add(character)
            return character
        return character if category[0] in self._categories else " "


def _usual(character: str) -> str:
    """Return a letter or decimal digit in its usual form: ﬁ as fi, Ａ as A, an Arabic final form as its letter."""
    if character in _KEPT_WHOLE or not (character.isalpha() or character.isdecimal()):
        return character
    return unicodedata.normalize("NFKC", character)


_LETTERS, _LETTERS_AND_DIGITS = _Characters("L"), _Characters("LN")


def lower(text: str) -> str:
    """Return ``text`` in lower case; İ becomes i, without the second dot that Unicode gives it."""
    return text.lower().replace("i\u0307", "i")


def write_letters(text: str, *, digits: bool = False, lower: Callable[[str], str] = lower) -> str:
    """Return the words of ``text``, made of letters and, if wanted, digits, with one space between words.

    Letters (category L) and the marks on them (M) are kept, in Unicode's composed form (NFC). An apostrophe is kept
    within a word. Format characters (Cf) are removed and leave no gap. Any other character separates words. Han and
    kana are written without spaces, as is usual.

    Args:
        text: any text.
        digits: whether numbers (category N) are kept as well.
        lower: a function that converts a text to lower case, where the script has cases.
    """
    characters = _LETTERS_AND_DIGITS if digits else _LETTERS
    plain = unicodedata.normalize("NFC", text).translate(characters)
    plain = unicodedata.normalize("NFC", lower(plain))
    words = _EDGE_APOSTROPHE.sub(" ", plain).split() if "'" in plain else plain.split()
    if not characters.marks.isdisjoint(plain):
        words = [word for word in map(_without_stray_marks, words) if word]
    return _BETWEEN.sub("", " ".join(words))


def _without_stray_marks(word: str) -> str:
    """Return the word without marks that stand on no letter: at its start, or after an apostrophe."""
    kept: list[str] = []
    for character in word:
        if unicodedata.category(character)[0] != "M" or (kept and kept[-1] != "'"):
            kept.append(character)
    return "".join(kept).strip("'")
