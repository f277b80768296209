"""Whisper's English normaliser (Radford et al. 2022, appendix C), for comparison with published scores.

It unifies spellings and contractions and drops fillers and text in brackets, so it is for scoring only.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache


def normalise(text: str) -> str:
    """Return ``text`` as Whisper's scores compare it.

    >>> normalise("Mr. Brown's colour, uh, isn't twenty-one [noise]")
    'mister brown is color is not 21'
    """
    return " ".join(_whisper_english()(text).split())


@cache
def _whisper_english() -> Callable[[str], str]:
    from whisper_normalizer.english import EnglishTextNormalizer

    normaliser: Callable[[str], str] = EnglishTextNormalizer()
    return normaliser
