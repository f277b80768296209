"""The hypothesis, which is the result of a decoder."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Hypothesis:
    """A hypothesis of what was said in an utterance.

    Attributes:
        text: the characters that the labels spell.
        labels: (U,) the labels, without blanks.
        frames: (U,) the output frame in which each label was first emitted, increasing.
        score: the natural logarithm of the probability that the decoder gives the hypothesis; each decoder documents
            what the score includes.
        phones: the labels of the words' phones, each word ended by ``BOUNDARY``; () if they were not searched.
        word_log_probs: the natural log-probability that the bundle's language model gives to each word after the words
            before; () if it had no part in the search.
    """

    text: str
    labels: tuple[int, ...]
    frames: tuple[int, ...]
    score: float
    phones: tuple[int, ...] = ()
    word_log_probs: tuple[float, ...] = ()
