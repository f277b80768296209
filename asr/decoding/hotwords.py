"""Hotwords: words and phrases, above all names, that are expected and whose score is therefore raised."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np

from asr.decoding.acceptor import START, Acceptor, Trie, check_size
from asr.errors import ConfigError
from asr.text import Vocabulary

MOST_AHEAD = 6.0
"""The most that a phrase adds before it is complete, in natural logarithms.

With more, a phrase that is never completed would drive all other prefixes out of the beam.
"""

DEFAULT_WEIGHT = 8.0
"""The weight of a hotword that is given none, added to the natural logarithm of its score."""

_OUTSIDE = 1
"""The state within a word that begins no hotword, in which nothing is scored until the next space."""


def weighed(entry: str) -> tuple[str, float]:
    """Parse a phrase and its weight, as the command line and the server take them.

    >>> weighed("New York:5"), weighed("Ada")
    (('New York', 5.0), ('Ada', 8.0))

    Raises:
        ConfigError: what follows the colon is no number.
    """
    phrase, colon, weight = entry.rpartition(":")
    if not colon:
        return entry.strip(), DEFAULT_WEIGHT
    try:
        return phrase.strip(), float(weight)
    except ValueError as fault:
        raise ConfigError(f"hotword {entry!r}: after the colon a weight is needed, such as {phrase}:8") from fault


def hotwords(weights: Mapping[str, float], vocabulary: Vocabulary) -> Acceptor:
    """Build an acceptor that adds each phrase's weight wherever the phrase occurs as whole words.

    Part of the weight is added in equal shares with the letters, so that the beam keeps a phrase that has begun; it is
    taken back if the phrase is not completed. The automaton is that of Aho & Corasick (1975), with matches that begin
    only at the beginnings of words.

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
        weights: what each phrase adds to the score, as a natural logarithm.
        vocabulary: the labels.

    Raises:
        ConfigError: there are no phrases, or one is empty.
        VocabularyError: a character has no label.
    """
    if not weights or not all(phrase.split() for phrase in weights):
        raise ConfigError(f"hotwords are words or phrases, got {list(weights)}")
    return _Builder(weights, vocabulary).acceptor()


class _Builder:
    """A builder of the Aho-Corasick automaton: a trie of the phrases, with failure links between its nodes."""

    def __init__(self, weights: Mapping[str, float], vocabulary: Vocabulary) -> None:
        self._num_labels = len(vocabulary)
        self._space = vocabulary.space
        self._trie = Trie([{}, {}])
        self._partial = {START: 0.0, _OUTSIDE: 0.0}
        self._whole: dict[int, float] = {}
        for phrase, weight in weights.items():
            self._add(vocabulary.encode(" ".join(phrase.split())).tolist(), weight)
        check_size(self._trie, vocabulary)

    def _add(self, labels: list[int], weight: float) -> None:
        nodes = self._trie.add(labels)
        ahead = min(max(weight, -MOST_AHEAD), MOST_AHEAD)
        for depth, node in enumerate(nodes):
            share = ahead * depth / len(labels)
            self._partial[node] = max(self._partial.get(node, 0.0), share, key=abs)
        self._whole[nodes[-1]] = weight

    def acceptor(self) -> Acceptor:
        """Build the acceptor, breadth first: a state goes on as its failure link does, and along its own arcs.

        A state's failure link is the longest other state whose text begins at a later word of its phrase. Each arc adds
        the difference between the partial weights of its two states. An arc at a word boundary also adds the weights of
        the phrases that it completes, which are the state's own and those of its failure link.
        """
        count = len(self._trie.children)
        next_state = np.full((count, self._num_labels), _OUTSIDE, np.int64)
        if self._space is not None:
            next_state[_OUTSIDE, self._space] = START
        completed = np.zeros(count)
        fail, queue = {START: _OUTSIDE}, deque([START])
        while queue:
            node = queue.popleft()
            link = fail[node]
            next_state[node] = next_state[link]
            completed[node] = self._whole.get(node, 0.0) + completed[link]
            for label, child in self._trie.children[node].items():
                fail[child] = int(next_state[link, label])
                next_state[node, label] = child
                queue.append(child)
        partial = np.array([self._partial[node] for node in range(count)])
        weights = partial[next_state]
        if self._space is not None:
            weights[:, self._space] += completed
        weights -= partial[:, np.newaxis]
        next_state[:, 0], weights[:, 0] = START, 0.0
        return Acceptor(next_state, weights, completed - partial)
