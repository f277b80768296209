"""Alignment of one reference with the hypotheses of several systems, word under word."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from asr.evaluation.alignment import AlignedWord, align

Column = tuple[AlignedWord, ...]
"""A column of the alignment, a cell for each system; a cell without words if only other systems inserted one."""

_NOTHING = AlignedWord("", "", "")


def columns(reference: str, hypotheses: Sequence[str]) -> list[Column]:
    """Align each hypothesis with the reference at least cost, and join the alignments at the reference's words.

    >>> for column in columns("THE CAT", ["THE CAT", "OH A CAT", "THE BIG CAT"]):
    ...     print(column[0].reference or "*", [cell.hypothesis + cell.mark for cell in column])
    * ['', 'OHI', '']
    THE ['THE', 'AS', 'THE']
    * ['', '', 'BIGI']
    CAT ['CAT', 'CAT', 'CAT']
    """
    found: list[Column] = []
    for parts in zip(*(_at_words(align(reference, hypothesis)) for hypothesis in hypotheses), strict=True):
        insertions, words = zip(*parts, strict=True)
        found += zip_longest(*insertions, fillvalue=_NOTHING)
        found.append(words)
    return [column for column in found if any(cell is not _NOTHING for cell in column)]


def _at_words(aligned: Sequence[AlignedWord]) -> list[tuple[list[AlignedWord], AlignedWord]]:
    """Return each word of the reference, and its end, with the words inserted before it."""
    parts: list[tuple[list[AlignedWord], AlignedWord]] = []
    waiting: list[AlignedWord] = []
    for word in aligned:
        if word.mark == "I":
            waiting.append(word)
        else:
            parts.append((waiting, word))
            waiting = []
    return [*parts, (waiting, _NOTHING)]
