"""Sentences of the test that also occur in training, word for word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asr.data import Utterance
from asr.leaks.overlap import NORMALISER
from asr.leaks.recordings import AGREE_S
from asr.text import normalise

SHORT_WORDS = 4
"""A sentence of at most so many words is short: it may well occur twice by chance."""


@dataclass(frozen=True)
class SharedSentence:
    """A normalised sentence in training and test, with its number of utterances in each.

    ``as_long`` is true if a training and a test utterance of it have the same duration, to 10 ms. A long and rare
    sentence may then be the same recording compressed again.
    """

    text: str
    in_train: int
    in_test: int
    as_long: bool

    @property
    def words(self) -> int:
        """The number of words of the sentence."""
        return len(self.text.split())

    @property
    def short(self) -> bool:
        """Whether the sentence has four words or fewer."""
        return self.words <= SHORT_WORDS


@dataclass(frozen=True)
class SharedSentences:
    """Sentences in both training and test, the longest first; ``utterances`` of the test have any words."""

    sentences: tuple[SharedSentence, ...]
    utterances: int

    @property
    def shared(self) -> int:
        """The number of test utterances whose sentence occurs in training."""
        return sum(sentence.in_test for sentence in self.sentences)

    @property
    def shared_long(self) -> int:
        """The number of test utterances whose sentence occurs in training and has five words or more."""
        return sum(sentence.in_test for sentence in self.sentences if not sentence.short)

    @property
    def suspicious(self) -> list[SharedSentence]:
        """The sentences of five words or more with the same duration in training and test."""
        return [sentence for sentence in self.sentences if sentence.as_long and not sentence.short]


def shared_sentences(train: Sequence[Utterance], test: Sequence[Utterance]) -> SharedSentences:
    """Find the sentences that, when normalised, occur in both ``train`` and ``test``."""
    trained, tested = _durations(train), _durations(test)
    found = [
        SharedSentence(text, len(trained[text]), len(lasting), _meet(trained[text], lasting))
        for text, lasting in tested.items()
        if text in trained
    ]
    return SharedSentences(tuple(sorted(found, key=lambda s: (-s.words, s.text))), sum(map(len, tested.values())))


def _durations(utterances: Sequence[Utterance]) -> dict[str, list[float]]:
    """Return the durations in seconds of each sentence's utterances; utterances without words are left out."""
    durations: dict[str, list[float]] = {}
    for utterance in utterances:
        if text := normalise(utterance.text, NORMALISER):
            durations.setdefault(text, []).append(utterance.duration)
    return durations


def _meet(some: list[float], others: list[float]) -> bool:
    return any(abs(one - other) <= AGREE_S for one in some for other in others)
