"""The matched-pair sentence-segment word error test: does one system make fewer errors than another?

Gillick and Cox, "Some statistical issues in the comparison of speech recognition algorithms", ICASSP 1989; NIST's
sc_stats calls it MAPSSWE. Utterances are cut into segments where both systems have two words in a row correct, so that
errors in different segments are independent. Z is the errors of system A minus those of B in a segment, and the test
asks whether the mean of Z is 0::

    reference  ONE TWO SIX TEN ONE TWO TEN SIX ONE TWO
    A               S   S               D
    B                   S                           S
    Z                 1                 1          -1
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asr.evaluation.alignment import align
from asr.evaluation.student import two_sided_p

_RIGHT_WORDS = 2
"""A segment ends after so many words in a row that both systems have correct."""


@dataclass(frozen=True)
class MatchedPairs:
    """The test's result: of ``segments`` with errors, A makes fewer in ``a_fewer`` and B in ``b_fewer``.

    ``mean`` and ``deviation`` are those of Z, the errors of A minus those of B in a segment; ``p`` is two-sided.
    """

    segments: int
    a_fewer: int
    b_fewer: int
    mean: float
    deviation: float
    p: float


def matched_pairs(segments: Sequence[tuple[int, int]]) -> MatchedPairs:
    """Test the pairs of errors (of A, of B) in each segment by Student's t.

    Gillick and Cox use the normal distribution, which agrees from about fifty segments on and gives too small p-values
    for fewer. With m segments that differ, p is at least 2^(1 - m), the smallest p of a sign test.
    """
    z = np.array([a - b for a, b in segments], np.float64)
    mean, deviation = (float(z.mean()), float(z.std(ddof=1))) if len(z) > 1 else (float(z.sum()), 0.0)
    differing = int(np.count_nonzero(z))
    p = 1.0
    if len(z) > 1 and mean:
        t = mean / deviation * math.sqrt(len(z)) if deviation else math.inf
        p = max(two_sided_p(t, len(z) - 1), 2.0 ** (1 - differing))
    return MatchedPairs(len(z), int((z < 0).sum()), int((z > 0).sum()), mean, deviation, p)


def error_segments(reference: str, a: str, b: str) -> list[tuple[int, int]]:
    """Count the errors (of A, of B) in each segment that has any, given normalised texts of one utterance.

    >>> error_segments("ONE TWO SIX TEN ONE TWO TEN SIX ONE TWO", "ONE X X TEN ONE TWO SIX ONE TWO",
    ...                "ONE TWO X TEN ONE TWO TEN SIX ONE X")
    [(2, 1), (1, 0), (0, 1)]
    """
    slots = [*zip(_errors_by_slot(reference, a), _errors_by_slot(reference, b), strict=True)]
    segments, current, right = [], (0, 0), 0
    for place, (of_a, of_b) in enumerate(slots):
        is_word = place % 2 == 1
        if of_a or of_b:
            current, right = (current[0] + of_a, current[1] + of_b), 0
        elif is_word:
            right += 1
        if right == _RIGHT_WORDS and any(current):
            segments.append(current)
            current = (0, 0)
    return [*segments, current] if any(current) else segments


def _errors_by_slot(reference: str, hypothesis: str) -> list[int]:
    """Count the errors before the first word, in it, before the second, in it, …, and after the last."""
    slots = [0]
    for column in align(reference, hypothesis):
        if column.mark == "I":
            slots[-1] += 1
        else:
            slots += [int(column.mark != ""), 0]
    return slots
