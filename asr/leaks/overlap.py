"""8-grams of the references that also occur in the language model's text.

A language model trained on the test's sentences favours them, whatever the audio is. Two texts share eight words in a
row by chance only in stock phrases ("from one end of the room to the other"), so the fraction of the references'
8-grams that occur in the text tells whether it contains the test's sentences. Brown et al., "Language Models are
Few-Shot Learners", 2020, appendix C, search likewise for 8 to 13 words.

The text is streamed: words become numbers and each 8-gram a hash, and only where the hash of some reference occurs are
the words compared. Ends of lines and sentences are ignored, since books wrap their lines anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from asr.data import Utterance
from asr.text import normalise
from asr.text.normalisers import FOR_SCORING

RUN = 8
"""Words of an n-gram that is searched for."""

NORMALISER = FOR_SCORING
"""Name of the normaliser; texts of any language are compared as they are scored."""

Run = tuple[str, ...]


@dataclass(frozen=True)
class OverlappingUtterance:
    """A test utterance: how many (``found``) of its 8-grams (``runs``) occur in the text, and one of those."""

    id: str
    found: int
    runs: int
    example: str


@dataclass(frozen=True)
class TextOverlap:
    """The references' 8-grams in a text: of ``runs``, from ``utterances`` with eight words or more, ``found`` occur.

    ``worst`` lists each utterance with any, the greatest number first; ``words`` is the length of the text.
    """

    words: int
    runs: int
    found: int
    utterances: int
    worst: tuple[OverlappingUtterance, ...]

    @property
    def share(self) -> float:
        """The fraction of the references' 8-grams that occur in the text."""
        return self.found / self.runs if self.runs else 0.0


def text_overlap(test: Sequence[Utterance], text: Iterable[str]) -> TextOverlap:
    """Search ``text``, blocks of normalised words as ``read_sentences`` yields them, for the references' 8-grams."""
    references = [(utterance.id, _runs(normalise(utterance.text, NORMALISER).split())) for utterance in test]
    finder = _Finder({run for _, runs in references for run in runs})
    found: set[Run] = set()
    words = 0
    before: list[str] = []
    for block in text:
        new = block.split()
        words += len(new)
        stretch = before + new
        found |= finder.find(stretch)
        before = stretch[-RUN + 1 :]  # an 8-gram may cross from one block to the next
    rows = [
        OverlappingUtterance(name, len(hits), len(runs), " ".join(hits[0]))
        for name, runs in references
        if (hits := [run for run in runs if run in found])
    ]
    return TextOverlap(
        words=words,
        runs=sum(len(runs) for _, runs in references),
        found=sum(row.found for row in rows),
        utterances=sum(bool(runs) for _, runs in references),
        worst=tuple(sorted(rows, key=lambda row: (-row.found, -row.found / row.runs, row.id))),
    )


def _runs(words: list[str]) -> list[Run]:
    return [tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)]


class _Finder:
    """A search for a fixed set of 8-grams in any text."""

    def __init__(self, wanted: set[Run]) -> None:
        self._wanted = wanted
        self._number = {word: i for i, word in enumerate(sorted({word for run in wanted for word in run}), start=1)}
        runs = np.array([[self._number[word] for word in run] for run in wanted], np.uint64)
        self._hashes = np.unique(_hashes(runs.reshape(-1, RUN)))

    def find(self, words: list[str]) -> set[Run]:
        """Return the 8-grams of the set that occur in ``words``."""
        if len(words) < RUN or not len(self._hashes):
            return set()
        ids = np.array([self._number.get(word, 0) for word in words], np.uint64)
        likely = _among(_hashes(np.lib.stride_tricks.sliding_window_view(ids, RUN)), self._hashes)
        return {tuple(words[i : i + RUN]) for i in np.flatnonzero(likely)} & self._wanted


def _hashes(runs: np.ndarray) -> np.ndarray:
    """Hash 8-grams of word numbers (R, 8) to (R,), a polynomial modulo 2^64; hashes may collide."""
    total = np.zeros(len(runs), np.uint64)
    for column in runs.T:
        total = total * np.uint64(0x9E3779B97F4A7C15) + column
    return total


def _among(values: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    """Tell (N,) which of ``values`` (N,) are in the sorted array ``ordered``."""
    places = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    found: np.ndarray = ordered[places] == values
    return found
