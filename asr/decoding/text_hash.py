"""Hashes of what label sequences say: spaces alone make no other text, nor does another way to say a word."""

from __future__ import annotations

import numpy as np

from asr.decoding.lattice import BASE
from asr.lm import Pronunciations
from asr.lm.spelling import ROOT
from asr.text import Vocabulary

_WITHIN, _BETWEEN = 0, 1
_SPACE = np.uint64(1 << 32)
"""The symbol of a space, which no label has."""


class CharacterTexts:
    """Hashes texts of characters (`TextHasher`), with one space before each word however many there are.

    The cursor is 1 after a space and at the start, where a space before the next letter is due.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Hash texts of the labels of ``vocabulary``."""
        self._space = -1 if vocabulary.space is None else vocabulary.space

    def start(self) -> int:
        """As `TextHasher.start`."""
        return _BETWEEN

    def extend(
        self, hashes: np.ndarray, counts: np.ndarray, cursors: np.ndarray, labels: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As `TextHasher.extend`."""
        space, due = labels == self._space, cursors == _BETWEEN
        symbol = labels.astype(np.uint64)
        begun = (hashes * BASE + _SPACE) * BASE + symbol
        grown = np.where(due, begun, hashes * BASE + symbol)
        return (
            np.where(space, hashes, grown),
            np.where(space, counts, counts + 1 + due),
            np.where(space, _BETWEEN, _WITHIN),
        )


class WordTexts:
    """Hashes texts of words that are spelled by their phones (`TextHasher`).

    A symbol is a word that has ended. The cursor is the node of the pronunciations that the phones since have reached.
    """

    def __init__(self, pronunciations: Pronunciations) -> None:
        """Hash texts of the words of ``pronunciations``."""
        self._trie, self._words = pronunciations.trie, pronunciations.words

    def start(self) -> int:
        """As `TextHasher.start`."""
        return ROOT

    def extend(
        self, hashes: np.ndarray, counts: np.ndarray, cursors: np.ndarray, labels: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As `TextHasher.extend`."""
        reached = self._trie.spell(cursors, labels)
        said = self._trie.word_at(reached)
        ends = said >= 0
        symbol = self._words.take(said, mode="wrap").astype(np.uint64) + np.uint64(1)
        return np.where(ends, hashes * BASE + symbol, hashes), counts + ends, np.where(ends, ROOT, reached)
