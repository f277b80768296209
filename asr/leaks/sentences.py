"""Sentences of the test that were in training, word by word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from asr.data import Utterance
from asr.leaks.overlap import NORMALISER
from asr.leaks.recordings import AGREE_S
from asr.text import normalise

SHORT_WORDS = 4
"""A sentence of so many words or fewer is one that anybody may say twice."""


@dataclass(frozen=True)
class SharedSentence:
    """A normalised sentence of both sides, and how many utterances of either say it.

    ``as_long`` is true where an utterance of one side lasts as long as one of the other, to 10 ms. A sentence that is
    not short, and said rarely, may then be the same recording compressed anew.
    """

    text: str
    in_train: int
    in_test: int
    as_long: bool

    @property
    def words(self) -> int:
        """Of the sentence."""
        return len(self.text.split())

    @property
    def short(self) -> bool:
        """Whether it has four words or fewer."""
        return self.words <= SHORT_WORDS


@dataclass(frozen=True)
class SharedSentences:
    """Sentences of both sides, the longest first, of ``utterances`` of the test that have any words."""

    sentences: tuple[SharedSentence, ...]
    utterances: int

    @property
    def shared(self) -> int:
        """Utterances of the test whose sentence is in training."""
        return sum(sentence.in_test for sentence in self.sentences)

    @property
    def shared_long(self) -> int:
        """Those of five words or more."""
        return sum(sentence.in_test for sentence in self.sentences if not sentence.short)

    @property
    def suspicious(self) -> list[SharedSentence]:
        """Those that are not short, and as long on both sides."""
        return [sentence for sentence in self.sentences if sentence.as_long and not sentence.short]


def shared_sentences(train: Sequence[Utterance], test: Sequence[Utterance]) -> SharedSentences:
    """Sentences that are the same in ``train`` and ``test`` when normalised."""
    trained, tested = _durations(train), _durations(test)
    found = [
        SharedSentence(text, len(trained[text]), len(lasting), _meet(trained[text], lasting))
        for text, lasting in tested.items()
        if text in trained
    ]
    return SharedSentences(tuple(sorted(found, key=lambda s: (-s.words, s.text))), sum(map(len, tested.values())))


def _durations(utterances: Sequence[Utterance]) -> dict[str, list[float]]:
    """Seconds that each utterance of a sentence lasts; sentences without words are none."""
    durations: dict[str, list[float]] = {}
    for utterance in utterances:
        if text := normalise(utterance.text, NORMALISER):
            durations.setdefault(text, []).append(utterance.duration)
    return durations


def _meet(some: list[float], others: list[float]) -> bool:
    return any(abs(one - other) <= AGREE_S for one in some for other in others)
