"""The words of a hypothesis that are correct."""

from __future__ import annotations

import numpy as np

from asr.evaluation.alignment import align


def correct_words(reference: str, hypothesis: str) -> np.ndarray:
    """Tell (W,) which words of ``hypothesis`` are aligned with an equal word of ``reference``.

    >>> correct_words("THE CAT SAT", "A THE BAT").tolist()
    [False, True, False]
    """
    return np.array([column.mark == "" for column in align(reference, hypothesis) if column.hypothesis], bool)
