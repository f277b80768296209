"""Raise words and phrases that are expected, names above all."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np

from asr.decoding.acceptor import START, Acceptor, Trie
from asr.errors import ConfigError
from asr.text import Vocabulary

MOST_AHEAD = 6.0
"""Natural logarithms that a phrase gets before it is complete; more, and one that never is drives all else out."""

_OUTSIDE = 1
"""State of a word that begins no hotword: nothing happens until the next space."""


def hotwords(weights: Mapping[str, float], vocabulary: Vocabulary) -> Acceptor:
    """An acceptor that adds each phrase's weight wherever the phrase occurs, whole words only.

    Some of the weight comes in equal parts with the letters, so that the beam keeps a phrase that has begun, and is
    taken back where the phrase is not completed. The automaton is that of Aho & Corasick (1975), its matches beginning
    at words.

    >>> vocabulary = Vocabulary(tuple(" ABC"))
    >>> boost = hotwords({"AB": 4.0}, vocabulary)
    >>> def score(text):
    ...     states, total = boost.start()[np.newaxis], 0.0
    ...     for label in vocabulary.encode(text):
    ...         added, states = boost.extend(states, np.array([label]))
    ...         total += added[0]
    ...     return float(total + boost.finish(states)[0])
    >>> score("AB"), score("C AB"), score("AB AB"), score("A"), score("ABC")
    (4.0, 4.0, 8.0, 0.0, 0.0)

    Args:
        weights: phrase → natural logarithm to add.
        vocabulary: of the labels.

    Raises:
        ConfigError: no phrases, or one is empty.
        VocabularyError: a character has no label.
    """
    if not weights or not all(phrase.split() for phrase in weights):
        raise ConfigError(f"hotwords are words or phrases, got {list(weights)}")
    return _Builder(weights, vocabulary).acceptor()


class _Builder:
    """Lays phrases into a trie, each followed by the boundary after it, and follows failures between them."""

    def __init__(self, weights: Mapping[str, float], vocabulary: Vocabulary) -> None:
        self._num_labels = len(vocabulary)
        self._space = vocabulary.space
        self._trie = Trie([{}, {}])
        self._partial = {START: 0.0, _OUTSIDE: 0.0}
        self._whole: dict[int, float] = {}
        for phrase, weight in weights.items():
            self._add(vocabulary.encode(" ".join(phrase.split())).tolist(), weight)
        self._fail = self._failures()

    def _add(self, labels: list[int], weight: float) -> None:
        nodes = self._trie.add(labels)
        ahead = min(max(weight, -MOST_AHEAD), MOST_AHEAD)
        for depth, node in enumerate(nodes):
            share = ahead * depth / len(labels)
            self._partial[node] = max(self._partial.get(node, 0.0), share, key=abs)
        self._whole[nodes[-1]] = weight

    def _failures(self) -> dict[int, int]:
        """Node → the longest other node that a later word of its phrase may have begun."""
        fail = {START: _OUTSIDE, _OUTSIDE: _OUTSIDE}
        queue = deque([START])
        while queue:
            node = queue.popleft()
            for label, child in self._trie.children[node].items():
                fail[child] = self._step(fail[node], label, fail)
                queue.append(child)
        return fail

    def _step(self, node: int, label: int, fail: Mapping[int, int]) -> int:
        """The state after ``label``: along the trie, else along what failed less."""
        while label not in self._trie.children[node] and node != _OUTSIDE:
            node = fail[node]
        return self._trie.children[node].get(label, START if label == self._space else _OUTSIDE)

    def _completed(self, node: int) -> float:
        """Weights of the phrases that a word boundary after ``node`` completes."""
        total = 0.0
        while node not in (START, _OUTSIDE):
            total += self._whole.get(node, 0.0)
            node = self._fail[node]
        return total

    def acceptor(self) -> Acceptor:
        """The table: a state holds its phrase's part as credit; an arc pays what changes."""
        count = len(self._trie.children)
        next_state = np.zeros((count, self._num_labels), np.int64)
        weights = np.zeros((count, self._num_labels))
        for node in range(count):
            for label in range(1, self._num_labels):
                after = self._step(node, label, self._fail)
                earned = self._completed(node) if label == self._space else 0.0
                next_state[node, label] = after
                weights[node, label] = earned + self._partial[after] - self._partial[node]
        final = [self._completed(node) - self._partial[node] for node in range(count)]
        return Acceptor(next_state, weights, np.array(final))
