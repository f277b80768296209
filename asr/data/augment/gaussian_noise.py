"""Gaussian noise on the features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.arrays import Features


@dataclass(frozen=True)
class GaussianNoise:
    """Independent normal noise on every normalised feature, as Graves et al. (2006, section 5.2) trained with 0.6.

    Attributes:
        std: standard deviation of the noise, in standard deviations of the features.
    """

    std: float

    def __call__(self, features: Features, rng: np.random.Generator) -> Features:
        """Add noise to features (T, F) → (T, F)."""
        noisy: np.ndarray = features + np.float32(self.std) * rng.standard_normal(features.shape, dtype=np.float32)
        return noisy
