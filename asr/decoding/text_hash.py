"""Hashes of the texts of label sequences.

Label sequences that differ only in their number of spaces, or in the pronunciation of a word, have the same text.
"""

from __future__ import annotations

import numpy as np

from asr.decoding.lattice import BASE
from asr.lm import Pronunciations
from asr.lm.spelling import ROOT
from asr.text import Vocabulary

_WITHIN, _BETWEEN = 0, 1
_SPACE = np.uint64(1 << 32)
"""The symbol of a space, which differs from every label."""


class CharacterTexts:
    """A `TextHasher` of texts of characters, which counts one space before each word, however many there are.

    The cursor is 1 after a space and at the start, where the next letter needs a space before it, and 0 elsewhere.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Hash texts of the labels of ``vocabulary``."""
        self._space = -1 if vocabulary.space is None else vocabulary.space

    def start(self) -> int:
        """Return the cursor of the empty prefix, as `TextHasher.start`."""
        return _BETWEEN

    def extend(
        self, hashes: np.ndarray, counts: np.ndarray, cursors: np.ndarray, labels: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return hashes, counts and cursors (n,) after one more label each (n,), as `TextHasher.extend`."""
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
    """A `TextHasher` of texts of words that are spelled by their phones.

    A symbol is a word that has ended. The cursor is the node in the trie of pronunciations that the phones since the
    last word have reached.
    """

    def __init__(self, pronunciations: Pronunciations) -> None:
        """Hash texts of the words of ``pronunciations``."""
        self._trie, self._words = pronunciations.trie, pronunciations.words

    def start(self) -> int:
        """Return the cursor of the empty prefix, as `TextHasher.start`."""
        return ROOT

    def extend(
        self, hashes: np.ndarray, counts: np.ndarray, cursors: np.ndarray, labels: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return hashes, counts and cursors (n,) after one more label each (n,), as `TextHasher.extend`."""
        reached = self._trie.spell(cursors, labels)
        said = self._trie.word_at(reached)
        ends = said >= 0
        symbol = self._words.take(said, mode="wrap").astype(np.uint64) + np.uint64(1)
        return np.where(ends, hashes * BASE + symbol, hashes), counts + ends, np.where(ends, ROOT, reached)
