"""A weighted acceptor over labels, which represents hotwords and grammars as lookup tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from asr.errors import ConfigError
from asr.text import Vocabulary

START = 0
_MOST_ENTRIES = 1 << 25
"""Entries of an acceptor, of 16 bytes each."""


@dataclass(frozen=True, eq=False)
class Acceptor:
    """A deterministic automaton that scores a prefix by the arcs it takes (Mohri et al. 2002, section 2.1).

    Attributes:
        next_state: (S, V) the state that each label leads to from each state; state 0 is the start.
        weights: (S, V) what each label adds to the score in each state, as a natural logarithm; minus infinity where
            the label is not allowed.
        final: (S,) what is added to the score if the utterance ends in each state, as a natural logarithm.
    """

    next_state: np.ndarray
    weights: np.ndarray
    final: np.ndarray

    @property
    def width(self) -> int:
        """The number of integers in a state."""
        return 1

    @cached_property
    def constrains(self) -> bool:
        """Whether any label is forbidden in any state."""
        return not self._allowed.all()

    @cached_property
    def _allowed(self) -> np.ndarray:
        """Whether each label is allowed in each state (S, V)."""
        return self.weights > -np.inf

    @property
    def max_score(self) -> float:
        """The largest weight of any arc, which no label's score exceeds."""
        return float(self.weights.max())

    def start(self) -> np.ndarray:
        """Return the state (1,) of the empty prefix."""
        return np.array([START])

    def allows(self, states: np.ndarray) -> np.ndarray | None:
        """Return which labels (n, V) may follow states (n, 1), as `Scorer.allows`; None if all always may."""
        return self._allowed.take(states[:, 0], axis=0) if self.constrains else None

    def extend(self, states: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return weights (n,) of a label (n,) in each state (n, 1), and the next states (n, 1), as `Scorer.extend`."""
        at = states[:, 0], labels
        return self.weights[at], self.next_state[at][:, np.newaxis]

    def finish(self, states: np.ndarray) -> np.ndarray:
        """Return the final weights (n,) of states (n, 1), as `Scorer.finish`."""
        found: np.ndarray = self.final[states[:, 0]]
        return found


@dataclass
class Trie:
    """A tree of label sequences in which sequences with the same beginning share its nodes.

    Attributes:
        children: for each node, the child that each label leads to; node 0 is the root, which is the empty sequence.
        ends: the nodes at which a sequence ends.
    """

    children: list[dict[int, int]] = field(default_factory=lambda: [{}])
    ends: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, sequences: Iterable[Sequence[int]]) -> Trie:
        """Build a trie in which every sequence is a path from the root."""
        trie = cls()
        for sequence in sequences:
            trie.ends.add(trie.add(sequence)[-1])
        return trie

    def add(self, sequence: Sequence[int]) -> list[int]:
        """Add ``sequence`` and return the nodes along it, root first; an empty sequence has the root alone."""
        nodes = [START]
        for label in sequence:
            arcs: Mapping[int, int] = self.children[nodes[-1]]
            if label not in arcs:
                self.children[nodes[-1]][label] = len(self.children)
                self.children.append({})
            nodes.append(self.children[nodes[-1]][label])
        return nodes


def check_size(trie: Trie, vocabulary: Vocabulary) -> None:
    """Refuse phrases whose acceptor would fill the memory: it has a row of V numbers for each node of their trie.

    Raises:
        ConfigError: the phrases have too many letters in all.
    """
    if len(trie.children) > (most := _MOST_ENTRIES // len(vocabulary)):
        raise ConfigError(
            f"phrases of {len(trie.children):,} letters in all; with {len(vocabulary)} labels {most:,} are the most"
        )
