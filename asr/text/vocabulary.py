"""The vocabulary, which maps characters to labels and back."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from asr.arrays import Labels
from asr.errors import VocabularyError
from asr.stored_json import parse_json

BLANK = 0
"""The label of the CTC blank, everywhere in this project."""


def frames_needed(labels: Sequence[int] | Labels) -> int:
    """Return the fewest frames that can spell ``labels`` (U,): one a label, and a blank between two equal labels.

    >>> frames_needed([8, 5, 12, 12, 15])
    6
    """
    labels = np.asarray(labels)
    return len(labels) + int(np.count_nonzero(labels[1:] == labels[:-1]))


@dataclass(frozen=True)
class Vocabulary:
    """The characters an acoustic model can emit; label i > 0 is ``characters[i - 1]``, label 0 is the blank.

    >>> vocabulary = Vocabulary.from_texts(["NO", "ON A"])
    >>> vocabulary.characters, len(vocabulary)
    ((' ', 'A', 'N', 'O'), 5)
    >>> vocabulary.encode("NO").tolist()
    [3, 4]
    >>> vocabulary.decode([3, 4])
    'NO'
    """

    characters: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse characters for which labels could not be decoded."""
        if not self.characters:
            raise VocabularyError("a vocabulary needs at least one character, got none")
        if any(len(c) != 1 for c in self.characters):
            raise VocabularyError(f"each entry must be a single character, got {self.characters!r}")
        if unwritable := [c for c in self.characters if unicodedata.category(c) in ("Cc", "Cs")]:
            raise VocabularyError(f"{unwritable[0]!r} is a control character, which no text has")
        if len(set(self.characters)) != len(self.characters):
            raise VocabularyError(f"characters must be distinct, got {self.characters!r}")

    @classmethod
    def from_texts(cls, texts: Iterable[str]) -> Vocabulary:
        """Build the vocabulary of all characters in ``texts``, in code point order."""
        return cls(tuple(sorted(set().union(*texts))))

    def __len__(self) -> int:
        """Return V, the number of labels, the blank included."""
        return len(self.characters) + 1

    @cached_property
    def _labels(self) -> dict[str, int]:
        return {c: i for i, c in enumerate(self.characters, start=1)}

    @property
    def space(self) -> int | None:
        """The label of the space; None where no spaces separate words."""
        return self._labels.get(" ")

    def unknown(self, text: str) -> set[str]:
        """Return the characters of ``text`` that have no label."""
        return set(text) - self._labels.keys()

    def encode(self, text: str) -> Labels:
        """Return the labels (U,) int32 of ``text``.

        Raises:
            VocabularyError: a character has no label; the message names it.
        """
        if unknown := self.unknown(text):
            raise VocabularyError(f"{text!r} has {sorted(unknown)}, not among {''.join(self.characters)!r}")
        return np.array([self._labels[c] for c in text], dtype=np.int32)

    def decode(self, labels: Sequence[int] | Labels) -> str:
        """Return the text of ``labels`` (U,), which contain no blanks."""
        return "".join(self.characters[int(label) - 1] for label in labels)

    def to_json(self) -> str:
        """Return the vocabulary as JSON, as a bundle stores it."""
        return json.dumps({"blank": BLANK, "characters": list(self.characters)}, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Vocabulary:
        """Read the vocabulary from the JSON that ``to_json`` returns.

        Raises:
            ValueError: the text is not this JSON.
            VocabularyError: the characters cannot be labels, or the blank has another label than 0.
        """
        content = parse_json(text)
        characters = content.get("characters") if isinstance(content, dict) else None
        if not isinstance(characters, list) or not all(isinstance(one, str) for one in characters):
            raise ValueError("an object with the list 'characters' is needed")
        if content.get("blank", BLANK) != BLANK:
            raise VocabularyError(f"the blank must be label {BLANK}, got {content['blank']!r}")
        return cls(tuple(characters))
