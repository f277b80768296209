"""Which words of a hypothesis are right."""

from __future__ import annotations

import numpy as np

from asr.evaluation.alignment import align


def correct_words(reference: str, hypothesis: str) -> np.ndarray:
    """Whether each word (W,) of ``hypothesis`` stands under an equal one in a least-cost alignment.

    >>> correct_words("THE CAT SAT", "A THE BAT").tolist()
    [False, True, False]
    """
    return np.array([column.mark == "" for column in align(reference, hypothesis) if column.hypothesis], bool)
