"""Arabic letters without vowel signs, which few texts have and none has everywhere.

Short vowels, their doubled forms (tanwin), shadda, sukun, the small alef and Quranic signs are removed. Hamza and madda
are kept, because they distinguish letters. Letters of other scripts are written as ``letters`` writes them.
"""

from __future__ import annotations

import unicodedata

from asr.text.normalisers._scripts import write_letters

_VOWEL_SIGNS = dict.fromkeys(
    [*range(0x0610, 0x061B), *range(0x064B, 0x0653), *range(0x0656, 0x0660), 0x0670, *range(0x06D6, 0x06EE)]
)
_KEPT = {0x06DD, 0x06DE, 0x06E5, 0x06E6, 0x06E9}
"""Characters of the last range that are not marks."""


def normalise(text: str) -> str:
    """Return the letters of ``text`` without vowel signs.

    >>> normalise("حلق الطائر بعيداً؛ إتّفقوا.")
    'حلق الطائر بعيدا إتفقوا'
    """
    bare = write_letters(text).translate({code: None for code in _VOWEL_SIGNS if code not in _KEPT})
    return unicodedata.normalize("NFC", bare)
