"""A pronouncing dictionary, and the labels of a network that outputs phones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from asr.arrays import Labels
from asr.errors import VocabularyError
from asr.files import write_text

BOUNDARY = 1
"""The label that ends each word, so that a network with phone outputs also marks where words end."""

_FIRST = 2

Pronunciation = tuple[str, ...]
"""The phones of a word in order, by their names in the dictionary."""


@dataclass(frozen=True)
class Phones:
    """The phones that a network can output: label 0 is the blank, 1 the end of a word, i > 1 is ``symbols[i - 2]``.

    >>> phones = Phones(("AH", "N", "W"))
    >>> phones.encode([("W", "AH", "N"), ("AH",)]).tolist(), len(phones)
    ([4, 2, 3, 1, 2, 1], 5)
    """

    symbols: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of labels, blank and word end included."""
        return len(self.symbols) + _FIRST

    @cached_property
    def _labels(self) -> dict[str, int]:
        return {symbol: i for i, symbol in enumerate(self.symbols, start=_FIRST)}

    def has_all(self, word: Pronunciation) -> bool:
        """Tell whether all phones of ``word`` have a label."""
        return set(word) <= self._labels.keys()

    def encode(self, words: Iterable[Pronunciation]) -> Labels:
        """Return the labels (U,) int32 of words in sequence, with ``BOUNDARY`` after each word.

        Raises:
            VocabularyError: a phone has no label; the message names it.
        """
        try:
            labels = [[*(self._labels[phone] for phone in word), BOUNDARY] for word in words]
        except KeyError as phone:
            raise VocabularyError(f"no phone {phone}, only {' '.join(self.symbols)}") from phone
        return np.array([label for of_word in labels for label in of_word], np.int32)


@dataclass(frozen=True, eq=False)
class Lexicon:
    """A pronouncing dictionary.

    Attributes:
        pronunciations: the pronunciations of each word, the most usual one first.

    >>> lexicon = Lexicon({"A": (("AH",), ("EY",)), "NUN": (("N", "AH", "N"),)})
    >>> lexicon.phones.symbols
    ('AH', 'EY', 'N')
    >>> lexicon.usual_pronunciations("A NUN"), lexicon.missing("A NUN SANG")
    ([('AH',), ('N', 'AH', 'N')], ['SANG'])
    """

    pronunciations: Mapping[str, Sequence[Pronunciation]]

    @cached_property
    def phones(self) -> Phones:
        """The phones that occur in the dictionary, sorted by name."""
        return Phones(tuple(sorted({p for several in self.pronunciations.values() for one in several for p in one})))

    def missing(self, text: str) -> list[str]:
        """Return the words of ``text`` that the dictionary lacks, each once."""
        return [word for word in dict.fromkeys(text.split()) if word not in self.pronunciations]

    def usual_pronunciations(self, text: str) -> list[Pronunciation]:
        """Return the most usual pronunciation of each word of ``text``.

        Raises:
            VocabularyError: the dictionary lacks a word; the message names all such words.
        """
        if missing := self.missing(text):
            raise VocabularyError(f"the lexicon lacks {' '.join(missing)}")
        return [self.pronunciations[word][0] for word in text.split()]


def read_lexicon(path: str | Path) -> Lexicon:
    """Read a dictionary in the format of Kaldi and CMUdict, with one pronunciation a line: a word, then its phones.

    ::

        A  AH0
        A(2)  EY1
        NUN  N AH1 N # a sister

    Spaces separate the word and the phones. A number in brackets after a word, as in CMUdict, distinguishes its
    pronunciations and is removed. A line that begins with ``;;;`` is a comment, and so is the text after a single
    ``#``.

    Raises:
        VocabularyError: the file cannot be read, or a line has a word but no phones.
    """
    found: dict[str, list[Pronunciation]] = {}
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as fault:
        raise VocabularyError(f"{path}: no lexicon can be read there: {fault}") from fault
    for number, line in enumerate(lines, start=1):
        if line.startswith(";;;") or not line.strip():
            continue
        word, *phones = line.split()
        phones = phones[: phones.index("#")] if "#" in phones else phones
        if not phones:
            raise VocabularyError(f"{path}:{number}: {word!r} has no phones; a line is a word and its phones")
        found.setdefault(_without_number(word), []).append(tuple(phones))
    return Lexicon({word: tuple(dict.fromkeys(several)) for word, several in found.items()})


def write_lexicon(path: str | Path, lexicon: Lexicon) -> None:
    """Write a dictionary, sorted by word and atomically, in the format that ``read_lexicon`` reads."""
    lines = (
        f"{word}  {' '.join(one)}\n" for word in sorted(lexicon.pronunciations) for one in lexicon.pronunciations[word]
    )
    write_text(path, "".join(lines))


def _without_number(word: str) -> str:
    name, bracket, rest = word.partition("(")
    return name if bracket and name and rest[:-1].isdigit() and rest.endswith(")") else word
