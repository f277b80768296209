"""Hotwords of a search that reads whole words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from asr.decoding.hotwords import hotwords
from asr.text import Vocabulary

_DIGITS = "0123456789abcdef"


class WordHotwords:
    """Adds each phrase's weight wherever its words follow each other.

    It is `hotwords`, a word being spelled by its number among those that are raised, and any other by nought.

    >>> raised = WordHotwords({(3, 4): 6.0, (5,): 2.0}, num_words=10)
    >>> scores, states = raised.extend(np.array([0, 0]), np.array([3, 5]))
    >>> scores.tolist()
    [4.0, 2.0]
    >>> scores, states = raised.extend(states, np.array([4, 4]))
    >>> (scores + raised.finish(states)).tolist()
    [2.0, 0.0]
    """

    def __init__(self, weights: Mapping[tuple[int, ...], float], num_words: int) -> None:
        """Raise phrases.

        Args:
            weights: ids of words → natural logarithm to add.
            num_words: ids are below.

        Raises:
            ConfigError: no phrases, or one has no words.
        """
        ids = sorted({word for phrase in weights for word in phrase})
        digits, vocabulary = len(f"{len(ids):x}"), Vocabulary((" ", *_DIGITS))
        names = [f"{number:0{digits}x}" for number in range(len(ids) + 1)]
        name_of = dict(zip(ids, names[1:], strict=True))
        self._acceptor = hotwords({" ".join(map(name_of.__getitem__, p)): w for p, w in weights.items()}, vocabulary)
        self._spelled = vocabulary.encode("".join(f"{name} " for name in names)).reshape(len(names), -1)
        self._numbers = np.zeros(num_words, np.int64)
        self._numbers[ids] = np.arange(1, len(names))

    @property
    def max_score(self) -> float:
        """No word is given more."""
        return self._spelled.shape[1] * max(self._acceptor.max_score, 0.0)

    def extend(self, states: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """States (n,), of which 0 begins, and words (n,) → what they add (n,), states after them (n,)."""
        added, after = np.zeros(len(words)), states[:, np.newaxis]
        for labels in self._spelled.take(self._numbers.take(words), axis=0).T:
            more, after = self._acceptor.extend(after, labels)
            added += more
        return added, after[:, 0]

    def finish(self, states: np.ndarray) -> np.ndarray:
        """What ending here adds (n,): a phrase that was not completed gives back what it got."""
        return self._acceptor.finish(states[:, np.newaxis])
