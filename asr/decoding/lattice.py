"""What a beam search merges, remembered, so that other word sequences than the best can be read off it.

Where two prefixes end in the same label and have the same state for all scorers, whatever follows is worth the same
after each, and the search goes on with the better one alone. The other is an alternative history of it: wherever the
better one stands, the other may stand too, for a difference of score that is known once. So the tree of prefixes
becomes a lattice (Ortmanns, Ney and Aubert 1997, "A word graph algorithm for large vocabulary continuous speech
recognition").
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from asr.decoding.prefix_tree import PrefixTree
from asr.text import BLANK

_LEAST = -1e4
"""Natural logarithms: what one frame takes from a prefix at most, so that differences stay finite."""


class TextHasher(Protocol):
    """Hashes what prefixes say, so that label sequences of the same words are known for one text.

    A hash is a polynomial in ``BASE`` with the symbols of the text as coefficients, the last one lowest. So the hash of
    a text whose beginning is replaced follows from the hashes of the two beginnings.
    """

    def start(self) -> int:
        """Return the cursor of the empty prefix, whose hash and count of symbols are 0."""
        ...

    def extend(
        self, hashes: np.ndarray, counts: np.ndarray, cursors: np.ndarray, labels: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return hashes, counts and cursors (n,) of prefixes (n,) that grow by a label each (n,)."""
        ...


BASE = np.uint64(0x9E3779B97F4A7C15)
"""The base of text hashes; it is odd, so that no power of it is 0 in 64 bits."""


class PrefixLattice(PrefixTree):
    """A tree of prefixes that remembers what was merged into each.

    The weight of an alternative is compared with that of the prefix it was merged into at any later frame: both lose
    the same by the frames between, as long as a prefix neither grows nor is joined by new paths. So for every node the
    sum of what frames took from it is kept (``_decay``), and scores are stored with that sum taken off. That is exact
    where both have the same share of paths that end in a blank, and approximate otherwise.
    """

    def __init__(self) -> None:
        """Hold the empty prefix, into which nothing was merged."""
        super().__init__()
        self._decay, self._mass = np.zeros(1024), np.zeros(1024)
        self._edges = [0, 1]
        self._winner, self._other, self._label, self._weight = array("i"), array("i"), array("i"), array("d")

    def add(self, before: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """As `PrefixTree.add`."""
        nodes = super().add(before, labels)
        self._edges.append(len(self))
        while len(self) > len(self._decay):
            self._decay = np.concatenate([self._decay, np.zeros(len(self._decay))])
            self._mass = np.concatenate([self._mass, np.zeros(len(self._mass))])
        return nodes

    def stay(self, nodes: np.ndarray, before: np.ndarray, after: np.ndarray) -> None:
        """Note what a frame took from each of ``nodes`` (n,), of total ``before`` (n,) and ``after`` it (n,)."""
        with np.errstate(invalid="ignore"):
            self._decay[nodes] += np.fmax(after - before, _LEAST)

    def weigh(self, nodes: np.ndarray, scores: np.ndarray) -> None:
        """Note the scores (n,) of ``nodes`` (n,), with all paths that joined them by now."""
        self._mass[nodes] = scores - self._decay.take(nodes)

    def merge(self, winners: np.ndarray, others: np.ndarray, labels: np.ndarray, scores: np.ndarray) -> None:
        """Note what was merged.

        Args:
            winners: (n,) nodes of the prefixes that were kept.
            others: (n,) nodes of those merged into them, or of these without their last label.
            labels: (n,) that last label; the blank where ``others`` are whole.
            scores: (n,) of what was merged.
        """
        for column, values in ((self._winner, winners), (self._other, others), (self._label, labels)):
            column.frombytes(values.astype(np.intc).tobytes())
        self._weight.frombytes((scores - self._decay.take(winners)).tobytes())

    def alternatives(self, hasher: TextHasher) -> Alternatives:
        """Return all that was merged, sorted for the enumeration; those of one text into one prefix as one."""
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
        best = order[starts]  # of each group the heaviest comes first
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
        """Return hashes, counts and cursors (N,) of all nodes; those added together are computed together."""
        before, labels = self.columns()
        hashes, counts = np.zeros(len(self), np.uint64), np.zeros(len(self), np.int64)
        cursors = np.full(len(self), hasher.start())
        for first, last in zip(self._edges[1:], self._edges[2:], strict=False):
            some, at = slice(first, last), before[first:last]
            hashes[some], counts[some], cursors[some] = hasher.extend(hashes[at], counts[at], cursors[at], labels[some])
        return hashes, counts, cursors


@dataclass(frozen=True, eq=False)
class Alternatives:
    """Histories that may stand for the prefixes of a lattice, A of them, those of one prefix side by side.

    Attributes:
        winner: (A,) the node whose prefix they may stand for, in order.
        other: (A,) the node of the alternative, or that of its prefix without the last label.
        label: (A,) that last label; the blank where ``other`` is whole.
        time: (A,) when they were merged, a number that only grows. What stands for a part of an alternative has to be
            earlier than it, so that no history contains itself.
        difference: (A,) of the alternative's score to that of the prefix; none is above 0.
        hashes: (A,) of the alternatives' texts.
        counts: (A,) of the symbols of their texts.
        first: (N + 1,) where the alternatives of each of the N nodes begin.
        node_hashes: (N,) of the nodes' texts.
        node_counts: (N,) of their symbols.
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
