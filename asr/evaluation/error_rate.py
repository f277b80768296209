"""Error rates: (substitutions + deletions + insertions) / reference length, summed over the corpus."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jiwer

from asr.errors import EvaluationError

Unit = Literal["word", "character"]


@dataclass(frozen=True)
class ErrorRate:
    """Error counts of a least-cost alignment (each error costs 1), in words or characters.

    >>> ErrorRate(substitutions=1, reference_length=4) + ErrorRate(insertions=2)
    ErrorRate(substitutions=1, deletions=0, insertions=2, reference_length=4)
    """

    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    reference_length: int = 0

    @property
    def errors(self) -> int:
        """The sum S + D + I, which is the same for every least-cost alignment, unlike its parts."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float:
        """The error rate (S + D + I) / N, a fraction; for N = 0 it is no number (nan), or infinite with insertions."""
        if self.reference_length == 0:
            return math.inf if self.insertions else math.nan
        return self.errors / self.reference_length

    @property
    def rank(self) -> float:
        """The rate, to sort and draw by: less than 0 where it is no number."""
        return -1.0 if math.isnan(self.rate) else self.rate

    def __add__(self, other: ErrorRate) -> ErrorRate:
        return ErrorRate(
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
            self.reference_length + other.reference_length,
        )

    def to_json(self) -> dict[str, float | int | None]:
        """Return the counts and the rate; an infinite rate becomes null, since JSON has no infinity."""
        return {
            "rate": self.rate if math.isfinite(self.rate) else None,
            "substitutions": self.substitutions,
            "deletions": self.deletions,
            "insertions": self.insertions,
            "reference_length": self.reference_length,
        }


def error_rate(references: Sequence[str], hypotheses: Sequence[str], unit: Unit = "word") -> ErrorRate:
    """Count the errors of a corpus: the sum over its utterances, never a mean of rates.

    Words are separated by white space; characters include one space between words. An empty reference adds its
    insertions to the errors and nothing to N.

    Raises:
        EvaluationError: the two sequences differ in length, or ``unit`` is neither word nor character.

    >>> error_rate(["THE CAT SAT", ""], ["THE BAT", "OH"]).rate
    1.0
    >>> error_rate(["A B"], ["A C"], "character")
    ErrorRate(substitutions=1, deletions=0, insertions=0, reference_length=3)
    """
    return sum(utterance_errors(references, hypotheses, unit), ErrorRate())


def utterance_errors(references: Sequence[str], hypotheses: Sequence[str], unit: Unit = "word") -> list[ErrorRate]:
    """Count the errors of each utterance, in order; raise the errors of ``error_rate``."""
    if unit not in ("word", "character"):
        raise EvaluationError(f"unit must be 'word' or 'character', got {unit!r}")
    if len(references) != len(hypotheses):
        raise EvaluationError(
            f"{len(references)} references and {len(hypotheses)} hypotheses; each reference needs exactly one"
        )
    process = jiwer.process_words if unit == "word" else jiwer.process_characters
    output: Any = process(_single_spaced(references), _single_spaced(hypotheses))
    return [_count(chunks, len(r)) for chunks, r in zip(output.alignments, output.references, strict=True)]


def _single_spaced(texts: Sequence[str]) -> list[str]:
    return [" ".join(text.split()) for text in texts]


def _count(chunks: list[jiwer.AlignmentChunk], reference_length: int) -> ErrorRate:
    counts = {"equal": 0, "substitute": 0, "delete": 0, "insert": 0}
    for chunk in chunks:
        length = max(chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx)
        counts[chunk.type] += length
    return ErrorRate(counts["substitute"], counts["delete"], counts["insert"], reference_length)
