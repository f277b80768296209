"""Letters in the lower case of Turkish and Azerbaijani: I becomes ı, and İ becomes i."""

from __future__ import annotations

from asr.text.normalisers._scripts import write_letters

_LOWER_I = str.maketrans({"I": "ı", "İ": "i"})


def normalise(text: str) -> str:
    """Return the letters of ``text``, in Turkish lower case.

    >>> normalise("Iğdır'da İhaleyi, KAPALI!")
    "ığdır'da ihaleyi kapalı"
    """
    return write_letters(text, lower=lambda plain: plain.translate(_LOWER_I).lower())
