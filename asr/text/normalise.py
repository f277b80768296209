"""Transcripts → the text a model learns to write."""

from __future__ import annotations

import re
import unicodedata

from asr.errors import ConfigError

_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'"})


def upper_letters(text: str) -> str:
    """Upper-case letters, apostrophes and single spaces, as LibriSpeech and AN4 write.

    >>> upper_letters("Well — it’s  well-known, café!")
    "WELL IT'S WELL KNOWN CAFE"
    """
    decomposed = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES))
    plain = "".join(c for c in decomposed if not unicodedata.combining(c)).upper()
    return " ".join(re.sub(r"[^A-Z' ]+", " ", plain).split())


def verbatim(text: str) -> str:
    """The text as it is, spaces made single."""
    return " ".join(text.split())


NORMALISERS = {"upper_letters": upper_letters, "verbatim": verbatim}


def normalise(text: str, normaliser: str) -> str:
    """``text`` by the normaliser of this name.

    Raises:
        ConfigError: no normaliser has this name.
    """
    if normaliser not in NORMALISERS:
        raise ConfigError(f"no text normaliser {normaliser!r}; there are {', '.join(NORMALISERS)}")
    return NORMALISERS[normaliser](text)
