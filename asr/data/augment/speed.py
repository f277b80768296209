"""Speed perturbation, which changes tempo and pitch together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.arrays import Samples
from asr.audio import resample

_GRAIN = 1000
"""Speeds are rounded to thousandths, so that the resampler gets integer rates."""


@dataclass(frozen=True)
class SpeedPerturbation:
    """Speed perturbation (Ko et al. 2015): resampled by a factor from [1 - amount, 1 + amount]; pitch moves with it.

    The paper's three copies at 0.9, 1.0 and 1.1 are the ends and the middle of ``amount`` 0.1.

    Attributes:
        amount: largest relative change, below 1.
    """

    amount: float

    def __call__(self, samples: Samples, sample_rate: int, rng: np.random.Generator) -> Samples:
        """Change the speed of samples: (N,) → (round(N / speed),)."""
        return at_speed(samples, rng.uniform(1 - self.amount, 1 + self.amount))


def at_speed(samples: Samples, speed: float) -> Samples:
    """Resample (N,) → (round(N / speed),) float32; f Hz becomes f · speed Hz, with ``speed`` in thousandths."""
    return resample(samples, round(speed * _GRAIN), _GRAIN)
