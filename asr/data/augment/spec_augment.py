"""SpecAugment: masks in frequency and time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.arrays import Features


@dataclass(frozen=True)
class SpecAugment:
    """SpecAugment's masks (Park et al. 2019) without its time warp.

    Attributes:
        frequency_masks: number of masked bands, each up to ``frequency_width`` features wide.
        frequency_width: F of the paper, in features.
        time_masks: number of masked time spans, each up to ``time_share`` of the utterance.
        time_share: p of the paper's adaptive size (Park et al. 2020), a fraction of T.
    """

    frequency_masks: int
    frequency_width: int
    time_masks: int
    time_share: float

    def __call__(self, features: Features, rng: np.random.Generator) -> Features:
        """Mask features (T, F) → (T, F) with zeros."""
        masked = features.copy()
        for _ in range(self.frequency_masks):
            masked[:, _stretch(masked.shape[1], self.frequency_width, rng)] = 0
        for _ in range(self.time_masks):
            masked[_stretch(len(masked), int(len(masked) * self.time_share), rng)] = 0
        return masked


def _stretch(size: int, widest: int, rng: np.random.Generator) -> slice:
    width = int(rng.integers(0, min(widest, size) + 1))
    start = int(rng.integers(0, size - width + 1))
    return slice(start, start + width)
