"""Letters of any script in lower case, with apostrophes within words.

Umlauts, accents and ß are kept, and so are vowel signs of Indian scripts and Arabic vowel signs where they are written.
Scripts without case are unchanged. Hyphens separate words. Digits and symbols are lost; training refuses transcripts
that contain some unless it is told to allow that. Turkish and Arabic have normalisers of their own.
"""

from __future__ import annotations

from asr.text.normalisers._scripts import write_letters


def normalise(text: str) -> str:
    """Return the letters of ``text`` in lower case.

    >>> normalise("„Die Straße“, C’EST L'ÉTÉ — по-прежнему, हिन्दी; 你好，世界。")
    "die straße c'est l'été по прежнему हिन्दी 你好世界"
    """
    return write_letters(text)
