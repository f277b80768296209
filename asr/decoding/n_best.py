"""The n-best texts of a lattice, which are found one after the other, as many as the caller asks for.

The search has kept the best history of each prefix. Every other history is the best one with some parts replaced by
alternatives, and its score is lower by the sum of their differences. A queue yields the histories in the order of
their scores. For each history found so far, the queue holds only the best alternative that has not been taken yet
(Eppstein 1998, "Finding the k shortest paths"; the lazy order of Huang and Chiang 2005, "Better k-best parsing",
algorithm 3).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np

from asr.decoding.lattice import BASE, Alternatives, PrefixLattice, TextHasher

_EVER = 1 << 62
"""A time that is later than every time at which something was merged."""


@dataclass(frozen=True)
class _History:
    """One label sequence, which consists of the prefix at a node and the labels after it.

    Attributes:
        score: the natural logarithm of its probability, with what the scorers gave.
        node: the node of the prefix. Alternatives may replace parts of the prefix, but not the labels after it.
        after: the labels that follow the prefix.
        before_time: only alternatives that were merged before this time may replace a part.
        text: the hash of the whole text.
        symbols: the number of symbols in the whole text.
    """

    score: float
    node: int
    after: tuple[int, ...]
    before_time: int
    text: int
    symbols: int


@dataclass(frozen=True, eq=False)
class _Replacements:
    """The M histories that one history becomes when one alternative replaces a part of it, the best first.

    Attributes:
        history: the history that they are made from.
        path: the node of ``history`` and all nodes before it.
        scores: (M,) their scores, in descending order.
        alternatives: (M,) the index in `Alternatives` of the alternative in each.
        depths: (M,) the index in ``path`` of the node that each alternative replaces.
        texts: (M,) the hashes of their whole texts.
        symbols: (M,) the numbers of symbols in their whole texts.
    """

    history: _History
    path: list[int]
    scores: np.ndarray
    alternatives: np.ndarray
    depths: np.ndarray
    texts: np.ndarray
    symbols: np.ndarray


def best_texts(
    lattice: PrefixLattice, nodes: np.ndarray, scores: np.ndarray, hasher: TextHasher, most: float
) -> Iterator[tuple[tuple[int, ...], float]]:
    """Yield label sequences of different texts and their scores, best first, until the lattice has no more.

    If several label sequences have the same text, only the best of them is yielded. The score of a text is the sum
    over the final prefixes that have this text. If the text contains an alternative, the score is that sum less the
    alternative's difference.

    Args:
        lattice: the lattice of the search.
        nodes: (W,) the nodes of the final prefixes.
        scores: (W,) the scores of the final prefixes, with what the scorers gave for ending there; minus infinity
            where the scorers forbid it.
        hasher: tells texts apart.
        most: the upper limit of the yielded scores.
    """
    enumeration = _Enumeration(lattice, hasher)
    enumeration.start(nodes, scores, most)
    yield from enumeration


class _Enumeration:
    """The queue of histories, and the texts that were found so far."""

    def __init__(self, lattice: PrefixLattice, hasher: TextHasher) -> None:
        self._lattice = lattice
        self._all: Alternatives = lattice.alternatives(hasher)
        counts = int(max(self._all.node_counts.max(), self._all.counts.max(initial=0)))
        self._powers = np.full(2 * counts + 2, BASE)
        self._powers[0] = 1
        np.multiply.accumulate(self._powers, out=self._powers)
        self._queue: list[tuple[float, int, _History | _Replacements, int]] = []
        self._numbers = count()
        self._seen: set[int] = set()

    def start(self, nodes: np.ndarray, scores: np.ndarray, most: float) -> None:
        """Put the final prefixes into the queue; those of one text become one entry, with the sum of their scores."""
        sums: dict[int, float] = {}
        best: dict[int, int] = {}
        texts = self._all.node_hashes[nodes].tolist()
        for row in (-scores).argsort(kind="stable").tolist():
            if scores[row] > -np.inf:
                sums[texts[row]] = float(np.logaddexp(sums.get(texts[row], -np.inf), scores[row]))
                best.setdefault(texts[row], int(nodes[row]))
        for text, node in best.items():
            symbols = int(self._all.node_counts[node])
            history = _History(min(sums[text], most), node, (), _EVER, text, symbols)
            self._push(history.score, history, 0)

    def __iter__(self) -> Iterator[tuple[tuple[int, ...], float]]:
        while self._queue:
            _, _, found, place = heapq.heappop(self._queue)
            text = found.text if isinstance(found, _History) else int(found.texts[place])
            if isinstance(found, _Replacements) and place + 1 < len(found.scores):
                self._push(float(found.scores[place + 1]), found, place + 1)
            if text in self._seen:
                continue
            self._seen.add(text)
            history = found if isinstance(found, _History) else self._replaced(found, place)
            yield self._lattice.labels(history.node) + history.after, history.score
            if len((more := self._replacements(history)).scores):
                self._push(float(more.scores[0]), more, 0)

    def _push(self, score: float, item: _History | _Replacements, place: int) -> None:
        heapq.heappush(self._queue, (-score, next(self._numbers), item, place))

    def _replacements(self, history: _History) -> _Replacements:
        """Return what ``history`` becomes with each alternative that is allowed in it and changes its text."""
        path = self._lattice.path(history.node)
        nodes = np.array(path)
        first = self._all.first.take(nodes)
        sizes = self._all.first.take(nodes + 1) - first
        depths = np.arange(len(path)).repeat(sizes)
        places = np.arange(len(depths)) + (first - (sizes.cumsum() - sizes)).take(depths)
        replaced = nodes.take(depths)
        after = history.symbols - self._all.node_counts.take(replaced)
        change = (self._all.hashes.take(places) - self._all.node_hashes.take(replaced)) * self._power(after)
        good = ((self._all.time.take(places) < history.before_time) & (change != 0)).nonzero()[0]
        good = good.take((-self._all.difference.take(places.take(good))).argsort(kind="stable"))
        places = places.take(good)
        return _Replacements(
            history,
            path,
            history.score + self._all.difference.take(places),
            places,
            depths.take(good),
            change.take(good) + np.uint64(history.text),
            after.take(good) + self._all.counts.take(places),
        )

    def _power(self, exponents: np.ndarray) -> np.ndarray:
        """Return ``BASE`` to the power of each exponent (n,), in 64 bits."""
        while exponents.max(initial=0) >= len(self._powers):
            self._powers = np.concatenate([self._powers, self._powers * self._powers[-1] * BASE])
        return self._powers.take(exponents)

    def _replaced(self, found: _Replacements, place: int) -> _History:
        """Return the history that contains the alternative at ``place`` of ``found``."""
        at, depth = int(found.alternatives[place]), int(found.depths[place])
        before = self._lattice.labels(found.path[0])
        kept = before[len(before) - depth :] if depth else ()
        label = int(self._all.label[at])
        return _History(
            score=float(found.scores[place]),
            node=int(self._all.other[at]),
            after=((label,) if label else ()) + kept + found.history.after,
            before_time=int(self._all.time[at]),
            text=int(found.texts[place]),
            symbols=int(found.symbols[place]),
        )
