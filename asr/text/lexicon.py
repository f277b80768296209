"""Words and how they are said: a pronouncing dictionary, and the labels of a network that hears phones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from asr.errors import VocabularyError
from asr.files import write_atomically

BOUNDARY = 1
"""The label that ends each word, so that a network which hears phones also hears words."""

_FIRST = 2

Pronunciation = tuple[str, ...]
"""Phones, by the names that the dictionary has for them."""


@dataclass(frozen=True)
class Phones:
    """The phones a network can hear; label i > 1 is ``symbols[i - 2]``, 0 the blank, 1 the end of a word.

    >>> phones = Phones(("AH", "N", "W"))
    >>> phones.encode([("W", "AH", "N"), ("AH",)]).tolist(), len(phones)
    ([4, 2, 3, 1, 2, 1], 5)
    """

    symbols: tuple[str, ...]

    def __len__(self) -> int:
        """The labels, blank and word end included."""
        return len(self.symbols) + _FIRST

    @cached_property
    def _labels(self) -> dict[str, int]:
        return {symbol: i for i, symbol in enumerate(self.symbols, start=_FIRST)}

    def hears(self, word: Pronunciation) -> bool:
        """Whether all its phones have a label."""
        return set(word) <= self._labels.keys()

    def encode(self, words: Iterable[Pronunciation]) -> np.ndarray:
        """Labels (U,) int32 of words said one after the other, the end of each marked.

        Raises:
            VocabularyError: a phone has no label; the message names it.
        """
        try:
            spoken = [[*(self._labels[phone] for phone in word), BOUNDARY] for word in words]
        except KeyError as phone:
            raise VocabularyError(f"no phone {phone}, only {' '.join(self.symbols)}") from phone
        return np.array([label for word in spoken for label in word], np.int32)


@dataclass(frozen=True, eq=False)
class Lexicon:
    """A pronouncing dictionary.

    Attributes:
        pronunciations: word → how it may be said, the usual way first.

    >>> lexicon = Lexicon({"A": (("AH",), ("EY",)), "NUN": (("N", "AH", "N"),)})
    >>> lexicon.phones.symbols
    ('AH', 'EY', 'N')
    >>> lexicon.said("A NUN"), lexicon.missing("A NUN SANG")
    ([('AH',), ('N', 'AH', 'N')], ['SANG'])
    """

    pronunciations: Mapping[str, Sequence[Pronunciation]]

    @cached_property
    def phones(self) -> Phones:
        """All that occur, by name."""
        return Phones(tuple(sorted({p for several in self.pronunciations.values() for one in several for p in one})))

    def missing(self, text: str) -> list[str]:
        """The words of ``text`` that are not here, each once."""
        return [word for word in dict.fromkeys(text.split()) if word not in self.pronunciations]

    def said(self, text: str) -> list[Pronunciation]:
        """The usual pronunciation of each word of ``text``.

        Raises:
            VocabularyError: a word is not here; the message names all such.
        """
        if missing := self.missing(text):
            raise VocabularyError(f"the lexicon lacks {' '.join(missing)}")
        return [self.pronunciations[word][0] for word in text.split()]


def read_lexicon(path: str | Path) -> Lexicon:
    """Read a dictionary as Kaldi and CMU have it: a line a pronunciation, the word and its phones, parted by spaces.

    ::

        A  AH0
        A(2)  EY1
        NUN  N AH1 N # a sister

    A number in brackets after a word, as in CMUdict, tells its pronunciations apart and is left out; a line that begins
    with ``;;;``, and what stands after a single ``#``, is a comment.

    Raises:
        VocabularyError: the file cannot be read, or a line has a word and no phone.
    """
    found: dict[str, list[Pronunciation]] = {}
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
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
    """Write a dictionary as ``read_lexicon`` reads it, atomically, sorted by word."""
    lines = (
        f"{word}  {' '.join(one)}\n" for word in sorted(lexicon.pronunciations) for one in lexicon.pronunciations[word]
    )
    with write_atomically(path) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")


def _without_number(word: str) -> str:
    name, bracket, rest = word.partition("(")
    return name if bracket and name and rest[:-1].isdigit() and rest.endswith(")") else word
