"""The words of a language model by how they are said, as a trie of the labels of a network that hears phones.

A word is spelled by its phones and the label that ends it. Words that sound alike would be spelled alike: the commonest
has the network's own label for the end of a word, the others labels beyond the network's, which mean the same to it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from asr.errors import LanguageModelError
from asr.files import write_atomically
from asr.lm.model import NgramModel
from asr.lm.spelling import Spelling
from asr.text import Lexicon, Phones
from asr.text.lexicon import BOUNDARY

_BYTE = 256
_MOST_ALIKE = 8
"""Of words that sound alike the commonest so many are kept."""


@dataclass(frozen=True, eq=False)
class Pronunciations:
    """How the words of a language model are said, N ways in all.

    Attributes:
        labels: (sum of lengths,) uint8, the labels of all, one after the other, sorted; each ends with one that ends a
            word.
        words: (N,) whose they are, ids of the language model, int32.
        num_phones: P, labels of the network; from P on, labels end the second word of those that sound alike, the third
            and so on.
    """

    labels: np.ndarray
    words: np.ndarray
    num_phones: int

    @classmethod
    def of(cls, model: NgramModel, lexicon: Lexicon, phones: Phones) -> Pronunciations:
        """Of the words of ``model``, as far as ``lexicon`` says them by ``phones``.

        Raises:
            LanguageModelError: it says none of them so, or phones are too many for a byte.
        """
        if len(phones) + _MOST_ALIKE > _BYTE:
            raise LanguageModelError(f"{len(phones)} labels of phones; at most {_BYTE - _MOST_ALIKE} can be searched")
        heard = {name: list(filter(phones.hears, lexicon.pronunciations.get(name, ()))) for name in model.words}
        names = [name for name, several in heard.items() if several]
        if not names:
            raise LanguageModelError(
                "the lexicon has no word of the language model that is said by the network's phones "
                f"({' '.join(phones.symbols)}); are words in the same case, and phones of the same set?"
            )
        ids = model.word_ids(names)
        common, _ = model.score(np.zeros(len(ids), np.int64), ids)
        said = sorted(
            (_letters(phones.encode([one])[:-1]), -frequency, word)
            for name, word, frequency in zip(names, ids.tolist(), common.tolist(), strict=True)
            for one in heard[name]
        )
        spelled = sorted(
            (sound + chr(end), word)
            for sound, alike in groupby(said, key=lambda entry: entry[0])
            for end, (_, _, word) in zip(_ends(len(phones)), alike, strict=False)
        )
        labels = "".join(letters for letters, _ in spelled).encode("latin-1")
        return cls(np.frombuffer(labels, np.uint8), np.array([word for _, word in spelled], np.int32), len(phones))

    @classmethod
    def open(cls, path: str | Path) -> Pronunciations:
        """Read what ``save`` wrote.

        Raises:
            LanguageModelError: it is no such file.
        """
        try:
            with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
                return cls(arrays["labels"], arrays["words"], int(arrays["num_phones"]))
        except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error) as fault:
            raise LanguageModelError(f"{path}: no pronunciations can be read there: {fault}") from fault

    def save(self, path: str | Path) -> None:
        """Write one file, atomically."""
        with write_atomically(path) as temporary, open(temporary, "wb") as file:
            np.savez_compressed(file, labels=self.labels, words=self.words, num_phones=self.num_phones)

    @property
    def num_labels(self) -> int:
        """The network's labels, and those beyond that end words which sound alike."""
        return max(self.num_phones, int(self.labels.max()) + 1)

    @cached_property
    def trie(self) -> Spelling:
        """Of all spellings, a label being a code point; ``word_at`` gives the place in ``words``."""
        ends = np.flatnonzero(self.ends_word(self.labels)) + 1
        letters, starts = _letters(self.labels), [0, *ends[:-1].tolist()]
        return Spelling.of_words([letters[a:b] for a, b in zip(starts, ends.tolist(), strict=True)])

    def ends_word(self, labels: np.ndarray) -> np.ndarray:
        """Which (n,) of labels (n,) end a word."""
        return (labels == BOUNDARY) | (labels >= self.num_phones)

    def read(self, spelled: Sequence[Sequence[int]]) -> list[np.ndarray]:
        """The words (n,) int32 that each of several rows of labels spells, but for one that they do not end."""
        spellings, counts = [], []
        for labels in map(np.array, spelled):
            letters, ends = _letters(labels), np.flatnonzero(self.ends_word(labels)) + 1
            spellings += [letters[a:b] for a, b in pairwise([0, *ends.tolist()])]
            counts.append(len(ends))
        return np.split(self.words[self.trie.find(spellings)], np.cumsum(counts)[:-1])[: len(counts)]


def _ends(num_phones: int) -> Iterator[int]:
    """The labels that end words which sound alike, the commonest first."""
    yield BOUNDARY
    yield from range(num_phones, num_phones + _MOST_ALIKE - 1)


def _letters(labels: np.ndarray) -> str:
    """Labels as code points."""
    return labels.astype(np.uint8).tobytes().decode("latin-1")
