"""Letters of any script in lower case, with apostrophes within words.

Umlauts, accents and ß stay, and so do vowel signs of Indian scripts and Arabic vowel signs where they are written.
Scripts without case stay as they are. Hyphens part words. Digits and symbols are lost; training refuses transcripts
that have some unless it is told to allow that. Turkish and Arabic have normalisers of their own.
"""

from __future__ import annotations

from asr.text.normalisers._scripts import write_letters


def normalise(text: str) -> str:
    """Return the letters of ``text``, lower case.

    >>> normalise("„Die Straße“, C’EST L'ÉTÉ — по-прежнему, हिन्दी; 你好，世界。")
    "die straße c'est l'été по прежнему हिन्दी 你好世界"
    """
    return write_letters(text)
