"""English as LibriSpeech and AN4 write it: letters A to Z in upper case, and apostrophes.

Accents are removed, titles are written out (MISTER for Mr.); other scripts, digits and symbols are lost.
``asr.text.normalisers._english`` says how apostrophes at the edges of words are told from quotation marks.
"""

from __future__ import annotations

import re
import unicodedata

from asr.text.normalisers._apostrophes import TO_APOSTROPHE
from asr.text.normalisers._english import drop_quotation_marks, write_out_titles

_NOT_DECOMPOSED = str.maketrans(
    {"Æ": "AE", "Œ": "OE", "Ø": "O", "Ł": "L", "Đ": "D", "Ð": "D", "Þ": "TH", "ẞ": "SS", "Ħ": "H", "ı": "I"}
)
"""Latin letters that Unicode does not decompose; without this table they would cut their word in two."""

_OTHERS = re.compile(r"[^A-Z']+")
_FOREIGN = re.compile(r"[^\x00-\x7f]")
_ASCII = bytes(
    ord(c) if c in "'\n" or c.isalpha() else ord(" ")
    for c in (chr(code).upper().replace("`", "'") for code in range(128))
) + bytes([ord(" ")] * 128)


def normalise(text: str) -> str:
    """Return the letters of ``text`` in upper case.

    >>> normalise("Well — it’s  well-known, ‘café’!")
    "WELL IT'S WELL KNOWN CAFE"
    """
    return write_out_titles(" ".join(drop_quotation_marks(_OTHERS.sub(" ", _plain(text))).split()))


def normalise_lines(text: str) -> str:
    r"""Return ``text`` with each line normalised except for the number of spaces; much faster than one line at a time.

    >>> normalise_lines("Well — it’s\nwell-known, café!").split("\n")
    ["WELL   IT'S", 'WELL KNOWN  CAFE ']
    """
    if not text.isascii():
        text = _FOREIGN.sub(lambda match: _foreign[match[0]], text)
    return write_out_titles(drop_quotation_marks(text.encode("ascii").translate(_ASCII).decode("ascii")))


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.translate(TO_APOSTROPHE))
    return "".join(c for c in decomposed if not unicodedata.combining(c)).upper().translate(_NOT_DECOMPOSED)


class _ForeignCharacters(dict[str, str]):
    """The text that ``normalise`` writes for each character outside ASCII, computed at its first use."""

    def __missing__(self, character: str) -> str:
        # The letters around it distinguish what is dropped (a combining mark) from what becomes a space.
        self[character] = _OTHERS.sub(" ", _plain(f"A{character}A"))[1:-1]
        return self[character]


_foreign = _ForeignCharacters()
