"""What was taken for what, in words and in characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from asr.evaluation.alignment import AlignedWord, align
from asr.evaluation.evaluation import ScoredUtterance

SPACE = "␣"
"""A space between words, where single characters are shown."""

Confusion = tuple[str, str, int]
"""What was said, what was written instead, and how often; "" where nothing was."""


@dataclass(frozen=True)
class Confusions:
    """All errors of a kind, the most frequent first, then by the alphabet."""

    substitutions: tuple[Confusion, ...]
    deletions: tuple[Confusion, ...]
    insertions: tuple[Confusion, ...]


def word_confusions(utterances: Iterable[ScoredUtterance]) -> Confusions:
    """Errors of words; each kind sums to what the evaluation counts."""
    return _count(align(u.reference, u.hypothesis) for u in utterances)


def character_confusions(utterances: Iterable[ScoredUtterance]) -> Confusions:
    """Errors of characters, spaces as ``SPACE``."""
    return _count(align(_spelled(u.reference), _spelled(u.hypothesis)) for u in utterances)


def _spelled(text: str) -> str:
    """Each character a word.

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
    """How often each of ``symbols`` (rows, said) became each (columns, written); "" is nothing: D and I.

    ``counts`` is (n, n), without what was right; ``shown`` of all ``errors`` are in it.
    """

    symbols: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    shown: int
    errors: int


def confusion_matrix(confusions: Confusions, size: int = 14) -> ConfusionMatrix:
    """The matrix of the ``size`` symbols with most errors, by the alphabet, and of nothing."""
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
