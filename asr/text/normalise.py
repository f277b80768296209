"""Transcripts → the text a model learns to write, and the text that is scored."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache

from asr.errors import ConfigError

_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'"})
_NOT_DECOMPOSED = str.maketrans(
    {"Æ": "AE", "Œ": "OE", "Ø": "O", "Ł": "L", "Đ": "D", "Ð": "D", "Þ": "TH", "ẞ": "SS", "Ħ": "H", "ı": "I"}
)
"""Latin letters that Unicode does not take apart; dropped, they would cut their word in two."""


def upper_letters(text: str) -> str:
    """Upper-case letters, apostrophes and single spaces, as LibriSpeech and AN4 write.

    >>> upper_letters("Well — it’s  well-known, café!")
    "WELL IT'S WELL KNOWN CAFE"
    """
    decomposed = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES))
    plain = "".join(c for c in decomposed if not unicodedata.combining(c)).upper().translate(_NOT_DECOMPOSED)
    letters = re.sub(r"[^A-Z' ]+|'{2,}", " ", plain)
    return " ".join(word for word in letters.split() if word != "'")


def verbatim(text: str) -> str:
    """The text as it is, spaces made single."""
    return " ".join(text.split())


def whisper(text: str) -> str:
    """Whisper's English normaliser (Radford et al. 2022, appendix C), for figures to compare with others'.

    It joins spellings and contractions and drops fillers and what brackets hold, so it is for scoring only.

    >>> whisper("Mr. Brown's colour, uh, isn't twenty-one [noise]")
    'mister brown is color is not 21'
    """
    return verbatim(_whisper_english()(text))


@cache
def _whisper_english() -> Callable[[str], str]:
    from whisper_normalizer.english import EnglishTextNormalizer

    return EnglishTextNormalizer()


NORMALISERS: dict[str, Callable[[str], str]] = {
    "upper_letters": upper_letters,
    "verbatim": verbatim,
    "whisper": whisper,
}


def normalise(text: str, normaliser: str) -> str:
    """``text`` by the normaliser of this name.

    Raises:
        ConfigError: no normaliser has this name.
    """
    if normaliser not in NORMALISERS:
        raise ConfigError(f"no text normaliser {normaliser!r}; there are {', '.join(NORMALISERS)}")
    return NORMALISERS[normaliser](text)
