"""Confusions of words and of characters: substitutions, deletions and insertions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from asr.evaluation.alignment import AlignedWord, align
from asr.evaluation.evaluation import ScoredUtterance

SPACE = "␣"
"""The symbol for a space between words among single characters."""

Confusion = tuple[str, str, int]
"""Reference symbol, hypothesis symbol, and how often; "" stands for no symbol."""


@dataclass(frozen=True)
class Confusions:
    """The errors by kind, the most frequent first, equally frequent ones in alphabetical order."""

    substitutions: tuple[Confusion, ...]
    deletions: tuple[Confusion, ...]
    insertions: tuple[Confusion, ...]


def word_confusions(utterances: Iterable[ScoredUtterance]) -> Confusions:
    """Count confusions of words; each kind sums to the number in the evaluation."""
    return _count(align(u.reference, u.hypothesis) for u in utterances)


def character_confusions(utterances: Iterable[ScoredUtterance]) -> Confusions:
    """Count confusions of characters, with spaces as ``SPACE``."""
    return _count(align(_spelled(u.reference), _spelled(u.hypothesis)) for u in utterances)


def _spelled(text: str) -> str:
    """Return the text with each character as a word.

    >>> _spelled("GO ON")
    'G O ␣ O N'
    """
    return " ".join(SPACE.join(text.split()))


def _count(alignments: Iterable[Sequence[AlignedWord]]) -> Confusions:
    counts = Counter((w.mark, w.reference, w.hypothesis) for aligned in alignments for w in aligned if w.mark)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kinds = [tuple((r, h, n) for (kind, r, h), n in ranked if kind == wanted) for wanted in "SDI"]
    return Confusions(*kinds)


@dataclass(frozen=True)
class ConfusionMatrix:
    """How often each of ``symbols`` in the reference (rows) became each in the hypothesis (columns).

    The symbol "" stands for none, in deletions and insertions. ``counts`` is (n, n), without correct symbols; it holds
    ``shown`` of all ``errors``.
    """

    symbols: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    shown: int
    errors: int


def confusion_matrix(confusions: Confusions, size: int = 14) -> ConfusionMatrix:
    """Build the matrix of the ``size`` symbols with most errors, in alphabetical order, and of no symbol ("")."""
    cells = [*confusions.substitutions, *confusions.deletions, *confusions.insertions]
    involved: Counter[str] = Counter()
    for said, written, count in cells:
        for symbol in {said, written} - {""}:
            involved[symbol] += count
    most = sorted(involved, key=lambda symbol: (-involved[symbol], symbol))[:size]
    symbols = (*sorted(most), "")
    counts = {(said, written): count for said, written, count in cells}
    rows = tuple(tuple(counts.get((said, written), 0) for written in symbols) for said in symbols)
    return ConfusionMatrix(symbols, rows, sum(map(sum, rows)), sum(counts.values()))
