"""Sentences → one array of word ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from asr.errors import LanguageModelError
from asr.lm.tables import UNKNOWN

_END = "\0"
_UNKNOWN_WORDS = frozenset({"<unk>", "<UNK>"})
MARKS = frozenset({"<s>", "</s>"})


@dataclass(frozen=True)
class Tokens:
    """A text as word ids: ``ids`` (T,) int32 are <s>, words and </s> of each sentence; ``words`` have ids from 1 on.

    The id of <s> is ``len(words) + 1``, that of </s> ``len(words) + 2``, as in ``BackoffModel``.
    """

    ids: np.ndarray
    words: list[str]

    @property
    def sentence_start(self) -> int:
        """The id of <s>."""
        return len(self.words) + 1

    @property
    def sentence_end(self) -> int:
        """The id of </s>."""
        return len(self.words) + 2


def tokenise(texts: Iterable[str], *, vocabulary_size: int | None = None, min_count: int = 1) -> Tokens:
    """Convert ``texts``, each with one sentence a line, to word ids; empty lines are skipped.

    Args:
        texts: sentences, their words separated by spaces.
        vocabulary_size: so many words, the most frequent, are kept (of equally frequent words, those with lower code
            points); all others become <unk>.
        min_count: words that occur less often become <unk>.

    Raises:
        LanguageModelError: the texts have no words, or contain <s> or </s>.
    """
    ids, first_ids = _read(texts)
    order, words = _chosen(first_ids, np.bincount(ids, minlength=len(first_ids)), vocabulary_size, min_count)
    start, end = len(words) + 1, len(words) + 2
    new_ids = np.full(len(first_ids), UNKNOWN, np.int32)
    new_ids[order] = np.arange(1, len(words) + 1)
    new_ids[0] = end
    return Tokens(_with_starts(new_ids[ids], start, end), words)


def _read(texts: Iterable[str]) -> tuple[np.ndarray, dict[str, int]]:
    """Return ids in the order of first occurrence, with 0 after each sentence, and the id of each word."""
    known: defaultdict[str, int] = defaultdict()
    known.default_factory = known.__len__
    known[_END]
    parts = []
    for text in texts:
        words = f"{text}\n".replace("\n", f" {_END} ").split()
        parts.append(np.fromiter(map(known.__getitem__, words), np.int32, len(words)))
    if len(known) == 1:
        raise LanguageModelError("the text has no words; a language model needs at least one")
    if marks := MARKS & known.keys():
        raise LanguageModelError(
            f"the text has {' and '.join(sorted(marks))}, which are added around each line; leave them out"
        )
    return _without_empty(np.concatenate(parts)), known


def _without_empty(ids: np.ndarray) -> np.ndarray:
    kept: np.ndarray = ids[(ids != 0) | np.concatenate([[False], ids[:-1] != 0])]
    return kept


def _chosen(
    first_ids: dict[str, int], counts: np.ndarray, vocabulary_size: int | None, min_count: int
) -> tuple[np.ndarray, list[str]]:
    """Return the ids of the words that are kept, in the code point order of the words, and these words."""
    words = [word for word, i in first_ids.items() if i and counts[i] >= min_count and word not in _UNKNOWN_WORDS]
    if vocabulary_size is not None and len(words) > vocabulary_size:
        words = sorted(words, key=lambda word: (-counts[first_ids[word]], word))[:vocabulary_size]
    words.sort()
    return np.fromiter(map(first_ids.__getitem__, words), np.int64, len(words)), words


def _with_starts(ids: np.ndarray, start: int, end: int) -> np.ndarray:
    """Return ``ids`` with ``start`` inserted before each sentence."""
    ends = np.flatnonzero(ids == end)
    return np.insert(ids, np.concatenate([[0], ends[:-1] + 1]), start)
