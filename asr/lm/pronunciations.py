"""Pronunciations of a language model's words, as a trie over the phone labels of an acoustic model.

A pronunciation is a word's phones and a label that ends the word. Homophones would have the same labels: the most
frequent of them ends with the network's own word boundary, the others with extra labels beyond the network's, which
stand for the word boundary too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np

from asr.errors import LanguageModelError
from asr.files import write_atomically
from asr.lm.model import NgramModel
from asr.lm.spelling import Spelling
from asr.stored_arrays import read_arrays, take
from asr.text import Lexicon, Phones
from asr.text.lexicon import BOUNDARY

_BYTE = 256
_MAX_HOMOPHONES = 8
"""Homophones that are kept for one pronunciation, the most frequent first."""


@dataclass(frozen=True, eq=False)
class Pronunciations:
    """N pronunciations of the words of a language model; a word may have several.

    Attributes:
        labels: (sum of lengths,) uint8, all pronunciations, sorted and joined; the last label of each ends a word.
        words: (N,) int32, the word of each pronunciation, an id of the language model.
        num_phones: P, the number of the network's labels; labels from P on end the second homophone, the third and so
            on.
    """

    labels: np.ndarray
    words: np.ndarray
    num_phones: int

    @classmethod
    def of(cls, model: NgramModel, lexicon: Lexicon, phones: Phones) -> Pronunciations:
        """Collect the pronunciations in ``lexicon`` of the words of ``model`` that use ``phones`` only.

        Raises:
            LanguageModelError: no word has such a pronunciation, or there are too many phones for a byte.
        """
        if len(phones) + _MAX_HOMOPHONES > _BYTE:
            raise LanguageModelError(f"{len(phones)} phone labels; at most {_BYTE - _MAX_HOMOPHONES} can be searched")
        usable = {name: list(filter(phones.has_all, lexicon.pronunciations.get(name, ()))) for name in model.words}
        names = [name for name, several in usable.items() if several]
        if not names:
            raise LanguageModelError(
                "the lexicon has no word of the language model that can be spelled by the network's phones "
                f"({' '.join(phones.symbols)}); are words in the same case, and phones of the same set?"
            )
        ids = model.word_ids(names)
        common, _ = model.score(np.zeros(len(ids), np.int64), ids)
        ranked = sorted(
            (_letters(phones.encode([one])[:-1]), -frequency, word)
            for name, word, frequency in zip(names, ids.tolist(), common.tolist(), strict=True)
            for one in usable[name]
        )
        spelled = sorted(
            (sound + chr(end), word)
            for sound, homophones in groupby(ranked, key=lambda entry: entry[0])
            for end, (_, _, word) in zip(_ends(len(phones)), homophones, strict=False)
        )
        labels = "".join(letters for letters, _ in spelled).encode("latin-1")
        return cls(np.frombuffer(labels, np.uint8), np.array([word for _, word in spelled], np.int32), len(phones))

    @classmethod
    def open(cls, path: str | Path) -> Pronunciations:
        """Read a file that ``save`` wrote.

        Raises:
            LanguageModelError: the file cannot be read or holds no pronunciations.
        """
        try:
            arrays = read_arrays(path)
            return cls(
                take(arrays, "labels", "u", (None,)),
                take(arrays, "words", "iu", (None,)),
                int(take(arrays, "num_phones", "iu", ())),
            )._checked()
        except (OSError, ValueError) as fault:
            raise LanguageModelError(f"{path}: no pronunciations can be read there: {fault}") from fault

    def _checked(self) -> Pronunciations:
        """Return the pronunciations if they can be searched.

        Raises:
            ValueError: labels, words and phones do not belong together.
        """
        if self.labels.dtype.itemsize > 1 or not BOUNDARY < self.num_phones <= _BYTE - _MAX_HOMOPHONES:
            raise ValueError(f"labels of {self.labels.dtype} for {self.num_phones} phone labels")
        if int(self.labels.max()) >= self.num_phones + _MAX_HOMOPHONES or not self.labels.all():
            raise ValueError("labels that neither the network has nor homophones end with")
        ends = self.ends_word(self.labels)
        if not ends[-1] or int(ends.sum()) != len(self.words) or int(self.words.min()) < 1:
            raise ValueError(f"{int(ends.sum())} pronunciations of {len(self.words)} words")
        spelled = self._spelled
        if any(len(one) < 2 for one in spelled) or any(one >= other for one, other in pairwise(spelled)):
            raise ValueError("pronunciations that are empty, or not in order")
        return self

    def save(self, path: str | Path) -> None:
        """Write the pronunciations to one file (.npz), atomically."""
        with write_atomically(path) as temporary, open(temporary, "wb") as file:
            np.savez_compressed(file, labels=self.labels, words=self.words, num_phones=self.num_phones)

    @property
    def num_labels(self) -> int:
        """The number of labels: the network's, and the extra ones that end homophones."""
        return max(self.num_phones, int(self.labels.max()) + 1)

    @cached_property
    def trie(self) -> Spelling:
        """The trie of all pronunciations, labels as code points; its ``word_at`` returns an index into ``words``."""
        return Spelling.of_words(self._spelled)

    @cached_property
    def _spelled(self) -> list[str]:
        """Each pronunciation as a string with one code point a label."""
        letters, ends = _letters(self.labels), np.flatnonzero(self.ends_word(self.labels)) + 1
        return [letters[a:b] for a, b in pairwise([0, *ends.tolist()])]

    def ends_word(self, labels: np.ndarray) -> np.ndarray:
        """Tell (n,) which of the labels (n,) end a word."""
        ends: np.ndarray = (labels == BOUNDARY) | (labels >= self.num_phones)
        return ends

    def read(self, spelled: Sequence[Sequence[int]]) -> list[np.ndarray]:
        """Read rows of labels as words: return the ids (n,) int32 of the words that end in each row."""
        spellings, counts = [], []
        for labels in map(np.array, spelled):
            letters, ends = _letters(labels), np.flatnonzero(self.ends_word(labels)) + 1
            spellings += [letters[a:b] for a, b in pairwise([0, *ends.tolist()])]
            counts.append(len(ends))
        return np.split(self.words[self.trie.find(spellings)], np.cumsum(counts)[:-1])[: len(counts)]


def _ends(num_phones: int) -> Iterator[int]:
    """Yield the labels that end homophones, for the most frequent word first."""
    yield BOUNDARY
    yield from range(num_phones, num_phones + _MAX_HOMOPHONES - 1)


def _letters(labels: np.ndarray) -> str:
    """Return labels as a string with one code point each."""
    return labels.astype(np.uint8).tobytes().decode("latin-1")
