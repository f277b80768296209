"""Alignment of reference and hypothesis, word under word, with errors marked S, D or I."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import jiwer

_MARKS = {"equal": "", "substitute": "S", "delete": "D", "insert": "I"}


@dataclass(frozen=True)
class AlignedWord:
    """One column of an alignment; ``mark`` is "" (equal), "S", "D" or "I", and the absent word is ""."""

    reference: str
    hypothesis: str
    mark: str

    @property
    def width(self) -> int:
        """The width of the column in characters."""
        return max(len(self.reference), len(self.hypothesis))


def align(reference: str, hypothesis: str) -> list[AlignedWord]:
    """Align the words of two texts at least cost.

    >>> [column.mark for column in align("THE CAT SAT", "A THE BAT")]
    ['I', '', 'S', 'D']
    """
    words, recognised = reference.split(), hypothesis.split()
    output = jiwer.process_words(" ".join(words), " ".join(recognised))
    columns: list[AlignedWord] = []
    for chunk in output.alignments[0]:
        above = words[chunk.ref_start_idx : chunk.ref_end_idx]
        below = recognised[chunk.hyp_start_idx : chunk.hyp_end_idx]
        length = max(len(above), len(below))
        above, below = above or [""] * length, below or [""] * length
        columns += [AlignedWord(r, h, _MARKS[chunk.type]) for r, h in zip(above, below, strict=True)]
    return columns


def alignment_lines(reference: str, hypothesis: str, width: int = 100) -> list[str]:
    r"""Format an alignment as triples of lines (REF, HYP, marks), each at most ``width`` characters wide.

    >>> print(*alignment_lines("THE CAT SAT", "A THE BAT"), sep="\n")
    REF  * THE CAT SAT
    HYP  A THE BAT ***
         I     S   D
    """
    lines: list[str] = []
    for row in _rows(align(reference, hypothesis), width - len("REF  ")):
        lines.append(_line("REF", [c.reference or "*" * c.width for c in row], row))
        lines.append(_line("HYP", [c.hypothesis or "*" * c.width for c in row], row))
        lines.append(_line("", [c.mark for c in row], row))
    return lines


def _line(head: str, cells: list[str], row: list[AlignedWord]) -> str:
    padded = [cell.ljust(column.width) for cell, column in zip(cells, row, strict=True)]
    return f"{head:3}  {' '.join(padded)}".rstrip()


def _rows(columns: list[AlignedWord], width: int) -> Iterator[list[AlignedWord]]:
    row: list[AlignedWord] = []
    used = 0
    for column in columns:
        if row and used + column.width > width:
            yield row
            row, used = [], 0
        row.append(column)
        used += column.width + 1
    yield row
