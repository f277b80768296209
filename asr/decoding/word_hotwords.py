"""Hotwords for a search that scores whole words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from asr.decoding.hotwords import hotwords
from asr.text import Vocabulary

_DIGITS = "0123456789abcdef"


class WordHotwords:
    """An acceptor that adds the weight of each phrase wherever the words of the phrase follow each other.

    It uses `hotwords`: each word of the phrases is spelled by its number among these words, from 1, and any other word
    is spelled by 0.

    >>> raised = WordHotwords({(3, 4): 6.0, (5,): 2.0}, num_words=10)
    >>> scores, states = raised.extend(np.array([0, 0]), np.array([3, 5]))
    >>> scores.tolist()
    [4.0, 2.0]
    >>> scores, states = raised.extend(states, np.array([4, 4]))
    >>> (scores + raised.finish(states)).tolist()
    [2.0, 0.0]
    """

    def __init__(self, weights: Mapping[tuple[int, ...], float], num_words: int) -> None:
        """Build the acceptor of the phrases in ``weights``.

        Args:
            weights: for each phrase, as the ids of its words, the natural logarithm to add.
            num_words: the number of words; all ids are below it.

        Raises:
            ConfigError: there are no phrases, or a phrase has no words.
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
        """The upper limit of what one word adds to the score."""
        return self._spelled.shape[1] * max(self._acceptor.max_score, 0.0)

    def extend(self, states: np.ndarray, words: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Score one more word each.

        Args:
            states: (n,) the states before the words; 0 is the state at the start.
            words: (n,) the ids of the words.

        Returns:
            What each word adds to the score (n,), and the states after the words (n,).
        """
        added, after = np.zeros(len(words)), states[:, np.newaxis]
        for labels in self._spelled.take(self._numbers.take(words), axis=0).T:
            more, after = self._acceptor.extend(after, labels)
            added += more
        return added, after[:, 0]

    def finish(self, states: np.ndarray) -> np.ndarray:
        """Return what ending in each state adds (n,): a phrase that is not complete gives back what it was given."""
        return self._acceptor.finish(states[:, np.newaxis])
