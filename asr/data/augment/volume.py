"""Random volume, with clipping."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Volume:
    """A transform that applies a gain drawn from [-most_db, most_db] and clips at ±1, as a recorder does.

    Normalisation per utterance removes a plain gain, but not the clipping.

    Attributes:
        most_db: largest gain or attenuation in decibels.
    """

    most_db: float

    def __call__(self, samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        """Change the volume of samples (N,) → (N,)."""
        gain = 10 ** (rng.uniform(-self.most_db, self.most_db) / 20)
        return np.clip(samples * np.float32(gain), -1, 1)
