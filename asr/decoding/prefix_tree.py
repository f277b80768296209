"""The prefixes of a beam search, each of which is stored as the prefix before it and one more label."""

from __future__ import annotations

from array import array

import numpy as np

from asr.text import BLANK


class PrefixTree:
    """A tree of all prefixes that a search has ever kept; node 0 is the empty prefix.

    The tree only grows, so that beams of earlier frames stay valid. It is stored in plain arrays, because a recording
    of an hour makes millions of nodes.
    """

    def __init__(self) -> None:
        """Start with the empty prefix alone."""
        self._before, self._labels = array("i", [0]), array("i", [BLANK])

    def __len__(self) -> int:
        """Return the number of nodes."""
        return len(self._labels)

    def add(self, before: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Add the prefixes that extend the nodes ``before`` (n,) by one label (n,) each; return their nodes (n,)."""
        first = len(self._labels)
        self._before.frombytes(before.astype(np.intc).tobytes())
        self._labels.frombytes(labels.astype(np.intc).tobytes())
        return np.arange(first, len(self._labels))

    def labels(self, node: int) -> tuple[int, ...]:
        """Return the labels of the prefix at ``node``."""
        labels = []
        while node:
            labels.append(self._labels[node])
            node = self._before[node]
        return tuple(reversed(labels))

    def path(self, node: int) -> list[int]:
        """Return ``node`` and every node before it, the empty prefix last."""
        nodes = [node]
        while node:
            node = self._before[node]
            nodes.append(node)
        return nodes

    def columns(self) -> tuple[np.ndarray, np.ndarray]:
        """Return copies of two arrays over all N nodes: the node before each (N,) and its last label (N,)."""
        return np.array(self._before, np.int64), np.array(self._labels, np.int64)
