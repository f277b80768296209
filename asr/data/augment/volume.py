"""Nearer and farther from the microphone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Volume:
    """A gain drawn from [-most_db, most_db], and what then lies beyond ±1 cut off, as a recorder cuts it.

    Normalisation over the utterance takes a plain gain out again; what is cut stays cut.

    Attributes:
        most_db: decibels.
    """

    most_db: float

    def __call__(self, samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        """(N,) → (N,)."""
        gain = 10 ** (rng.uniform(-self.most_db, self.most_db) / 20)
        return np.clip(samples * np.float32(gain), -1, 1)
