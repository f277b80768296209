"""A weighted acceptor over labels: hotwords and grammars, as a table to look up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

START = 0


@dataclass(frozen=True, eq=False)
class Acceptor:
    """A deterministic automaton that scores a prefix by the arcs it takes (Mohri et al. 2002, section 2.1).

    Attributes:
        next_state: (S, V) state after each label; state 0 is the start.
        weights: (S, V) natural logarithm that the label adds there, minus infinity where it is not allowed.
        final: (S,) what ending there adds.
    """

    next_state: np.ndarray
    weights: np.ndarray
    final: np.ndarray

    @property
    def width(self) -> int:
        """Integers of a state."""
        return 1

    @cached_property
    def constrains(self) -> bool:
        """Whether some label is forbidden somewhere."""
        return not self._allowed.all()

    @cached_property
    def _allowed(self) -> np.ndarray:
        """(S, V) bool."""
        return self.weights > -np.inf

    @property
    def max_score(self) -> float:
        """The heaviest arc."""
        return float(self.weights.max())

    def start(self) -> np.ndarray:
        """State (1,) of the empty prefix."""
        return np.array([START])

    def allows(self, states: np.ndarray) -> np.ndarray | None:
        """As `Scorer.allows`."""
        return self._allowed.take(states[:, 0], axis=0) if self.constrains else None

    def extend(self, states: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `Scorer.extend`: states (n, 1) and labels (n,) → weights (n,), states (n, 1)."""
        at = states[:, 0], labels
        return self.weights[at], self.next_state[at][:, np.newaxis]

    def finish(self, states: np.ndarray) -> np.ndarray:
        """Final weights (n,)."""
        return self.final[states[:, 0]]


@dataclass
class Trie:
    """Sequences of labels that share their beginnings; node 0 is the empty one, ``ends`` where a sequence ends."""

    children: list[dict[int, int]] = field(default_factory=lambda: [{}])
    ends: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, sequences: Iterable[Sequence[int]]) -> Trie:
        """Every sequence as a path from the root."""
        trie = cls()
        for sequence in sequences:
            trie.ends.add(trie.add(sequence)[-1])
        return trie

    def add(self, sequence: Sequence[int]) -> list[int]:
        """The nodes along ``sequence``, made where they are missing; the root where it is empty."""
        nodes = [START]
        for label in sequence:
            arcs: Mapping[int, int] = self.children[nodes[-1]]
            if label not in arcs:
                self.children[nodes[-1]][label] = len(self.children)
                self.children.append({})
            nodes.append(self.children[nodes[-1]][label])
        return nodes
