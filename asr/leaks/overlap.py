"""Runs of eight words of the references that the language model's text has too.

A language model that has read the test's sentences writes them whatever it hears. Two texts share eight words in a row
by chance only in stock phrases ("from one end of the room to the other"), so that the share of the references' 8-grams
that are in the text says whether it holds what the test reads. Brown et al., "Language Models are Few-Shot Learners",
2020, appendix C, look for the same with 8 to 13 words.

The text is streamed: words become numbers, runs of eight a hash each, and only hashes that some reference has are
looked at word by word. Its line ends and sentence ends are passed over, as books wrap their lines anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from asr.data import Utterance
from asr.text import normalise
from asr.text.normalisers import FOR_SCORING

RUN = 8
"""Words in a row."""

NORMALISER = FOR_SCORING
"""The name of the normaliser that texts of any language are compared by."""

Run = tuple[str, ...]


@dataclass(frozen=True)
class OverlappingUtterance:
    """An utterance of the test, how many of its 8-grams the text has, and one of those."""

    id: str
    found: int
    runs: int
    example: str


@dataclass(frozen=True)
class TextOverlap:
    """Of ``runs`` 8-grams of the references (of ``utterances`` with eight words or more), ``found`` are in the text.

    ``worst`` has each utterance with any, the greatest number first; ``words`` is the length of the text.
    """

    words: int
    runs: int
    found: int
    utterances: int
    worst: tuple[OverlappingUtterance, ...]

    @property
    def share(self) -> float:
        """Of the references' 8-grams, a fraction."""
        return self.found / self.runs if self.runs else 0.0


def text_overlap(test: Sequence[Utterance], text: Iterable[str]) -> TextOverlap:
    """Look for every 8-gram of the references in ``text``: blocks of normalised words, as ``read_sentences`` yields."""
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
        before = stretch[-RUN + 1 :]  # runs go on from block to block
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
    """Finds runs of eight words among those it was made with."""

    def __init__(self, wanted: set[Run]) -> None:
        self._wanted = wanted
        self._number = {word: i for i, word in enumerate(sorted({word for run in wanted for word in run}), start=1)}
        runs = np.array([[self._number[word] for word in run] for run in wanted], np.uint64)
        self._hashes = np.unique(_hashes(runs.reshape(-1, RUN)))

    def find(self, words: list[str]) -> set[Run]:
        """The wanted runs in ``words``."""
        if len(words) < RUN or not len(self._hashes):
            return set()
        ids = np.array([self._number.get(word, 0) for word in words], np.uint64)
        likely = _among(_hashes(np.lib.stride_tricks.sliding_window_view(ids, RUN)), self._hashes)
        return {tuple(words[i : i + RUN]) for i in np.flatnonzero(likely)} & self._wanted


def _hashes(runs: np.ndarray) -> np.ndarray:
    """A hash (R,) of each run of word numbers (R, 8), a polynomial modulo 2^64; two runs may have the same."""
    total = np.zeros(len(runs), np.uint64)
    for column in runs.T:
        total = total * np.uint64(0x9E3779B97F4A7C15) + column
    return total


def _among(values: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    """Whether each of ``values`` (N,) is one of ``ordered``, which are sorted."""
    places = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return ordered[places] == values
