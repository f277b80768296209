"""What judges a prefix beside the network: language models, hotwords, grammars."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Protocol

import numpy as np


class Scorer(Protocol):
    """Scores prefixes as labels are added to them, many prefixes at a time.

    All it knows of a prefix is in a row of ``width`` integers. Scores are natural logarithms and depend on the prefix
    alone, never on the path of frames that led to it; minus infinity forbids it.
    """

    @property
    def width(self) -> int:
        """Integers of a state."""
        ...

    @property
    def constrains(self) -> bool:
        """Whether nothing may be dropped for being unlikely: what is hardly heard may be all that is allowed."""
        ...

    @property
    def max_score(self) -> float | np.ndarray:
        """What no label adds more than, or (labels,) what each does not; so that what cannot win need not be scored."""
        ...

    def start(self) -> np.ndarray:
        """State (width,) of the empty prefix."""
        ...

    def allows(self, states: np.ndarray) -> np.ndarray | None:
        """Which labels (n, V) may follow states (n, width), so that others need not be scored; None: any may."""
        ...

    def extend(self, states: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """States (n, width) int64 and a label for each (n,) → what each adds to the score (n,), states (n, width)."""
        ...

    def finish(self, states: np.ndarray) -> np.ndarray:
        """What ending here adds (n,)."""
        ...


class ScorerSum:
    """Several scorers as one, their states side by side; none at all scores everything zero."""

    def __init__(self, scorers: Sequence[Scorer]) -> None:
        """Keep ``scorers``, which are asked in order."""
        self._scorers = tuple(scorers)
        edges = np.cumsum([0, *(s.width for s in self._scorers)]).tolist()
        self._columns = [slice(a, b) for a, b in zip(edges, edges[1:], strict=False)]
        self.width = edges[-1]
        self.constrains = any(s.constrains for s in self._scorers)
        self.max_score = sum((s.max_score for s in self._scorers), 0.0)

    def start(self) -> np.ndarray:
        """State (width,) of the empty prefix."""
        return np.concatenate([np.empty(0, np.int64), *(s.start() for s in self._scorers)])

    def allows(self, states: np.ndarray) -> np.ndarray | None:
        """As `Scorer.allows`, by all of them."""
        each = (s.allows(states[:, c]) for s, c in zip(self._scorers, self._columns, strict=True))
        tables = [one for one in each if one is not None]
        return reduce(np.logical_and, tables) if tables else None

    def extend(self, states: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `Scorer.extend`, the scores summed."""
        if len(self._scorers) == 1:
            return self._scorers[0].extend(states, labels)
        total, parts = np.zeros(len(states)), [np.empty((len(states), 0), np.int64)]
        for scorer, columns in zip(self._scorers, self._columns, strict=True):
            scores, after = scorer.extend(states[:, columns], labels)
            total = total + scores
            parts.append(after)
        return total, np.concatenate(parts, axis=1)

    def finish(self, states: np.ndarray) -> np.ndarray:
        """As `Scorer.finish`, summed."""
        parts = (s.finish(states[:, c]) for s, c in zip(self._scorers, self._columns, strict=True))
        return sum(parts, np.zeros(len(states)))
