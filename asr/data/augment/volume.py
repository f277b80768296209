"""Random volume, with clipping."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.arrays import Samples


@dataclass(frozen=True)
class Volume:
    """A transform that applies a gain drawn from [-most_db, most_db] and clips at ±1, as a recorder does.

    Normalisation per utterance removes a plain gain, but not the clipping.

    Attributes:
        most_db: largest gain or attenuation in decibels.
    """

    most_db: float

    def __call__(self, samples: Samples, sample_rate: int, rng: np.random.Generator) -> Samples:
        """Change the volume of samples (N,) → (N,)."""
        gain = 10 ** (rng.uniform(-self.most_db, self.most_db) / 20)
        louder: Samples = np.clip(samples * np.float32(gain), -1, 1)
        return louder
