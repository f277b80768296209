"""The n best texts of a lattice, one after the other, as many as are asked for.

The best history of a prefix is the one the search has kept, so every other is it with some alternatives in its place,
and its score is lower by the sum of their differences. They come out in the order of their scores from a queue that
holds, of each history found so far, only the next best alternative not yet taken (Eppstein 1998, "Finding the k
shortest paths"; the lazy order of Huang and Chiang 2005, "Better k-best parsing", algorithm 3).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np

from asr.decoding.lattice import BASE, Alternatives, PrefixLattice, TextHasher

_EVER = 1 << 62
"""Later than all times."""


@dataclass(frozen=True)
class _History:
    """One label sequence: the prefix at a node, and labels after it.

    Attributes:
        score: natural logarithm.
        node: of the prefix; its parts may be replaced by alternatives, the labels after it may not.
        after: labels that follow.
        before_time: alternatives must have been merged before this.
        text: hash of the whole text.
        symbols: how many it has.
    """

    score: float
    node: int
    after: tuple[int, ...]
    before_time: int
    text: int
    symbols: int


@dataclass(frozen=True, eq=False)
class _Replacements:
    """What one history becomes with one alternative in it, the best first.

    Attributes:
        history: the one that they are made of.
        path: its node, and those before.
        scores: (M,) falling.
        alternatives: (M,) places in `Alternatives`.
        depths: (M,) which node of ``path`` each replaces.
        texts: (M,) hashes of the whole texts.
        symbols: (M,) their counts.
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

    Of the label sequences of one text the best comes. A text's score is the sum over the final prefixes that say it,
    or, where an alternative stands in it, that sum less the difference.

    Args:
        lattice: of the search.
        nodes: (W,) of the final prefixes.
        scores: (W,) with what the scorers gave for ending there; minus infinity where they forbid it.
        hasher: tells texts apart.
        most: no score is higher than this.
    """
    enumeration = _Enumeration(lattice, hasher)
    enumeration.start(nodes, scores, most)
    yield from enumeration


class _Enumeration:
    """The queue, and what was found."""

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
        """Queue the final prefixes, those of one text as one, at the score of the sum."""
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
        """Return what ``history`` becomes by each alternative that may stand in it and changes its text."""
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
        """Return the history that the alternative at ``place`` makes."""
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
