"""Frequency warping, as by another speaker's vocal tract."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.arrays import Features


@dataclass(frozen=True, eq=False)
class FrequencyWarp:
    """Vocal tract length perturbation (Jaitly & Hinton 2013), applied to the bands instead of the filters.

    Band f takes the value at its centre frequency times a factor drawn from [1 - amount, 1 + amount], interpolated
    between the bands.

    Attributes:
        centres_hz: (F,) ascending centre frequencies of the bands.
        amount: largest relative change, such as 0.1.
    """

    centres_hz: np.ndarray
    amount: float

    def __call__(self, features: Features, rng: np.random.Generator) -> Features:
        """Warp features (T, F) → (T, F)."""
        factor = rng.uniform(1 - self.amount, 1 + self.amount)
        bands = len(self.centres_hz)
        position = np.interp(self.centres_hz * factor, self.centres_hz, np.arange(bands))
        low = np.minimum(position.astype(int), bands - 2)
        share = (position - low).astype(np.float32)
        warped: np.ndarray = features[:, low] * (1 - share) + features[:, low + 1] * share
        return warped
