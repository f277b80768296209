"""What a decoder answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Hypothesis:
    """One reading of an utterance.

    Attributes:
        text: the labels as characters.
        labels: (U,) without blanks.
        frames: (U,) the output frame where each label was first emitted, increasing.
        score: natural logarithm of the probability the decoder gives it; what it covers, the decoder says.
    """

    text: str
    labels: tuple[int, ...]
    frames: tuple[int, ...]
    score: float
