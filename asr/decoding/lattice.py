"""A lattice of the prefixes that a beam search merges, off which word sequences other than the best can be read.

Where two prefixes end in the same label and have the same state in all scorers, whatever follows has the same score
after each of them, so the search goes on with the better one alone. The other is kept as an alternative history of the
better one: it can replace the better one wherever that occurs, and the difference in score is always the same. So the
tree of prefixes becomes a lattice (Ortmanns, Ney and Aubert 1997, "A word graph algorithm for large vocabulary
continuous speech recognition").
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from asr.decoding.prefix_tree import PrefixTree
from asr.text import BLANK

_LEAST = -1e4
"""The largest noted drop of a prefix's score at one frame, in natural logarithms, so that differences stay finite."""


class TextHasher(Protocol):
    """A hasher of the texts of prefixes, by which label sequences of the same words are recognised as one text.

    A hash is a polynomial in ``BASE`` whose coefficients are the symbols of the text; the last symbol has the lowest
    power. So if the beginning of a text is replaced, its new hash follows from the hashes of the two beginnings.
    """

    def start(self) -> int:
        """Return the cursor of the empty prefix, whose hash and number of symbols are 0."""
        ...

    def extend(
        self, hashes: np.ndarray, counts: np.ndarray, cursors: np.ndarray, labels: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the hashes, counts of symbols and cursors (n,) after a label (n,) is added to each of n prefixes."""
        ...


BASE = np.uint64(0x9E3779B97F4A7C15)
"""The base of text hashes, which is odd so that no power of it is 0 in 64 bits."""


class PrefixLattice(PrefixTree):
    """A tree of prefixes that records which prefixes were merged into each.

    The score of an alternative must be comparable at any later frame with that of the prefix it was merged into. As
    long as a prefix neither grows nor is joined by new paths, the frames in between lower both scores by the same
    amount. So the tree keeps for every node the sum of the changes of its score by frames (``_decay``), and stores
    scores with that sum subtracted. This is exact where both prefixes have the same share of paths that end in a blank,
    and approximate otherwise.
    """

    def __init__(self) -> None:
        """Hold the empty prefix, into which nothing has been merged."""
        super().__init__()
        self._decay, self._mass = np.zeros(1024), np.zeros(1024)
        self._edges = [0, 1]
        self._winner, self._other, self._label, self._weight = array("i"), array("i"), array("i"), array("d")

    def add(self, before: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Add the prefixes that extend the nodes ``before`` (n,) by a label (n,) each; return their nodes (n,)."""
        nodes = super().add(before, labels)
        self._edges.append(len(self))
        while len(self) > len(self._decay):
            self._decay = np.concatenate([self._decay, np.zeros(len(self._decay))])
            self._mass = np.concatenate([self._mass, np.zeros(len(self._mass))])
        return nodes

    def stay(self, nodes: np.ndarray, before: np.ndarray, after: np.ndarray) -> None:
        """Note how a frame changed the score of each of ``nodes`` (n,), from ``before`` (n,) to ``after`` (n,)."""
        with np.errstate(invalid="ignore"):
            self._decay[nodes] += np.fmax(after - before, _LEAST)

    def weigh(self, nodes: np.ndarray, scores: np.ndarray) -> None:
        """Note the scores (n,) of ``nodes`` (n,), which include all paths that have joined them so far."""
        self._mass[nodes] = scores - self._decay.take(nodes)

    def merge(self, winners: np.ndarray, others: np.ndarray, labels: np.ndarray, scores: np.ndarray) -> None:
        """Note which prefixes were merged into others.

        Args:
            winners: (n,) the nodes of the prefixes that were kept.
            others: (n,) the nodes of the prefixes that were merged into them, or of these prefixes without their last
                label.
            labels: (n,) that last label, or the blank where the node in ``others`` is the whole prefix.
            scores: (n,) the scores of the prefixes that were merged.
        """
        for column, values in ((self._winner, winners), (self._other, others), (self._label, labels)):
            column.frombytes(values.astype(np.intc).tobytes())
        self._weight.frombytes((scores - self._decay.take(winners)).tobytes())

    def alternatives(self, hasher: TextHasher) -> Alternatives:
        """Return the alternatives, sorted for enumeration; those with the same text and the same winner become one."""
        hashes, counts, cursors = self._texts(hasher)
        winner, other, label = (np.array(column, np.int64) for column in (self._winner, self._other, self._label))
        weight = np.array(self._weight)
        grown = label != BLANK
        grown_hashes, grown_counts, _ = hasher.extend(hashes[other], counts[other], cursors[other], label)
        their_hashes = np.where(grown, grown_hashes, hashes[other])
        their_counts = np.where(grown, grown_counts, counts[other])
        order = np.lexsort((-weight, their_counts, their_hashes, winner))
        key = np.stack([winner[order], their_hashes[order].view(np.int64), their_counts[order]])
        starts = np.flatnonzero(np.concatenate([[True], (key[:, 1:] != key[:, :-1]).any(axis=0)])[: len(order)])
        best = order[starts]  # the alternative with the highest score comes first in each group
        sums = np.logaddexp.reduceat(weight[order], starts) if len(starts) else np.empty(0)
        return Alternatives(
            winner=winner[best],
            other=other[best],
            label=label[best],
            time=best,
            difference=np.minimum(sums - self._mass[winner[best]], 0.0),
            hashes=their_hashes[best],
            counts=their_counts[best],
            first=winner[best].searchsorted(np.arange(len(self) + 1)),
            node_hashes=hashes,
            node_counts=counts,
        )

    def _texts(self, hasher: TextHasher) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the hashes, counts of symbols and cursors (N,) of all nodes, computed for each added batch at once."""
        before, labels = self.columns()
        hashes, counts = np.zeros(len(self), np.uint64), np.zeros(len(self), np.int64)
        cursors = np.full(len(self), hasher.start())
        for first, last in zip(self._edges[1:], self._edges[2:], strict=False):
            some, at = slice(first, last), before[first:last]
            hashes[some], counts[some], cursors[some] = hasher.extend(hashes[at], counts[at], cursors[at], labels[some])
        return hashes, counts, cursors


@dataclass(frozen=True, eq=False)
class Alternatives:
    """The A alternative histories that may replace prefixes of a lattice; those of one prefix are side by side.

    Attributes:
        winner: (A,) the node whose prefix each alternative may replace, in ascending order.
        other: (A,) the node of the alternative, or the node of the alternative without its last label.
        label: (A,) that last label, or the blank where ``other`` is the whole alternative.
        time: (A,) when each was merged, as a number that only grows. An alternative that replaces a part of another
            alternative must be earlier than it, so that no history contains itself.
        difference: (A,) the alternative's score minus that of the prefix, which is never above 0.
        hashes: (A,) the hashes of the alternatives' texts.
        counts: (A,) the numbers of symbols in the alternatives' texts.
        first: (N + 1,) the index at which the alternatives of each of the N nodes begin.
        node_hashes: (N,) the hashes of the nodes' texts.
        node_counts: (N,) the numbers of symbols in the nodes' texts.
    """

    winner: np.ndarray
    other: np.ndarray
    label: np.ndarray
    time: np.ndarray
    difference: np.ndarray
    hashes: np.ndarray
    counts: np.ndarray
    first: np.ndarray
    node_hashes: np.ndarray
    node_counts: np.ndarray
