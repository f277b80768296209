"""Scorers, which judge a prefix in addition to the network: language models, hotwords and grammars."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Protocol

import numpy as np


class Scorer(Protocol):
    """The interface of a scorer of prefixes, which scores labels as they are added, for many prefixes at a time.

    All that a scorer knows of a prefix is its state, a row of ``width`` integers. Scores are natural logarithms and
    depend on the prefix alone, never on the path of frames that led to it. A score of minus infinity forbids a prefix.
    """

    @property
    def width(self) -> int:
        """The number of integers in a state."""
        ...

    @property
    def constrains(self) -> bool:
        """True if the search may not drop anything as unlikely, because all that is allowed may be unlikely."""
        ...

    @property
    def max_score(self) -> float | np.ndarray:
        """The upper limit of what a label adds to the score, for all labels or for each (labels,).

        With it the search need not score what cannot win.
        """
        ...

    def start(self) -> np.ndarray:
        """Return the state (width,) of the empty prefix."""
        ...

    def allows(self, states: np.ndarray) -> np.ndarray | None:
        """Return which labels (n, V) may follow states (n, width), or None if any label may follow.

        The other labels need not be scored.
        """
        ...

    def extend(self, states: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Score one more label of each prefix.

        Args:
            states: (n, width) int64, the states of the prefixes.
            labels: (n,) the label that is added to each.

        Returns:
            What each label adds to the score (n,), and the states after it (n, width).
        """
        ...

    def finish(self, states: np.ndarray) -> np.ndarray:
        """Return what is added to the score (n,) if the recording ends in each of ``states`` (n, width)."""
        ...


class ScorerSum:
    """Several scorers as one, with their states side by side; without any scorer, every score is zero."""

    def __init__(self, scorers: Sequence[Scorer]) -> None:
        """Combine ``scorers``, which are called in this order."""
        self._scorers = tuple(scorers)
        edges = np.cumsum([0, *(s.width for s in self._scorers)]).tolist()
        self._columns = [slice(a, b) for a, b in zip(edges, edges[1:], strict=False)]
        self.width = edges[-1]
        self.constrains = any(s.constrains for s in self._scorers)
        self.max_score = sum((s.max_score for s in self._scorers), 0.0)

    def start(self) -> np.ndarray:
        """Return the state (width,) of the empty prefix."""
        return np.concatenate([np.empty(0, np.int64), *(s.start() for s in self._scorers)])

    def allows(self, states: np.ndarray) -> np.ndarray | None:
        """Return which labels may follow by all scorers, as `Scorer.allows`."""
        each = (s.allows(states[:, c]) for s, c in zip(self._scorers, self._columns, strict=True))
        tables = [one for one in each if one is not None]
        return reduce(np.logical_and, tables) if tables else None

    def extend(self, states: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Score one more label of each prefix, as `Scorer.extend`; the scores are summed over the scorers."""
        if len(self._scorers) == 1:
            return self._scorers[0].extend(states, labels)
        total, parts = np.zeros(len(states)), [np.empty((len(states), 0), np.int64)]
        for scorer, columns in zip(self._scorers, self._columns, strict=True):
            scores, after = scorer.extend(states[:, columns], labels)
            total = total + scores
            parts.append(after)
        return total, np.concatenate(parts, axis=1)

    def finish(self, states: np.ndarray) -> np.ndarray:
        """Return the sum over the scorers of what ending here adds, as `Scorer.finish`."""
        parts = (s.finish(states[:, c]) for s, c in zip(self._scorers, self._columns, strict=True))
        return sum(parts, np.zeros(len(states)))
