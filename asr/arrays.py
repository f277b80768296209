"""The arrays of the light path by meaning, and the network's output with its characters and phones apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Samples: TypeAlias = NDArray[np.float32]
"""(N,) the samples of one recording, mono, full scale at 1."""

Features: TypeAlias = NDArray[np.float32]
"""(T, F) the features of one recording, a row for each frame."""

Labels: TypeAlias = NDArray[np.int32]
"""(U,) the labels of a text, without blanks."""

LabelLogProbs: TypeAlias = NDArray[np.floating[Any]]
"""(T', V) the natural logarithm of each label's probability at each output frame, with the blank in column 0."""


@dataclass(frozen=True, eq=False)
class LogProbs:
    """The network's output for a stretch of speech, as natural logarithms of probabilities.

    Attributes:
        characters: (T', V) of the characters; in each frame their probabilities sum to 1.
        phones: (T', P) of the phones, likewise; None where the network outputs no phones.
    """

    characters: LabelLogProbs
    phones: LabelLogProbs | None = None

    @classmethod
    def split(cls, packed: LabelLogProbs, vocabulary_size: int) -> LogProbs:
        """Split a network's output tensor (T', V + P) after its V = ``vocabulary_size`` columns of characters.

        >>> LogProbs.split(np.zeros((3, 7)), 5).phones.shape, LogProbs.split(np.zeros((3, 5)), 5).phones
        ((3, 2), None)
        """
        phones = packed[:, vocabulary_size:] if packed.shape[1] > vocabulary_size else None
        return cls(packed[:, :vocabulary_size], phones)

    @classmethod
    def concatenate(cls, parts: Sequence[LogProbs]) -> LogProbs:
        """Join the outputs of one network for stretches that follow each other.

        >>> len(LogProbs.concatenate([LogProbs(np.zeros((3, 5))), LogProbs(np.zeros((2, 5)))]))
        5
        """
        phones = [part.phones for part in parts if part.phones is not None]
        return cls(
            np.concatenate([part.characters for part in parts]),
            np.concatenate(phones) if phones else None,
        )

    def __len__(self) -> int:
        """Return T', the number of output frames."""
        return len(self.characters)

    def between(self, start: int, stop: int | None = None) -> LogProbs:
        """Return the output frames from ``start`` on, up to ``stop`` if it is given."""
        phones = None if self.phones is None else self.phones[start:stop]
        return LogProbs(self.characters[start:stop], phones)
