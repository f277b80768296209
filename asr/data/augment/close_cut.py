"""Trimming of a recording by level, as single words are often cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.arrays import Samples

_WINDOW_S, _HOP_S = 0.025, 0.01


@dataclass(frozen=True)
class CloseCut:
    """A transform that trims beginning and end by level, as `librosa.effects.trim` does.

    Weak consonants are trimmed with the silence: only the vowel of SIX may be left.

    Attributes:
        range_db: range in decibels below the loudest 25 ms from which the threshold is drawn.
    """

    range_db: tuple[float, float]

    def __call__(self, samples: Samples, sample_rate: int, rng: np.random.Generator) -> Samples:
        """Trim samples (N,) → (N',), N' <= N."""
        window, hop = round(_WINDOW_S * sample_rate), round(_HOP_S * sample_rate)
        frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, window // 2), window)[::hop]
        power = np.square(frames, dtype=np.float64).mean(axis=1)
        least = power.max() * 10 ** (-rng.uniform(*self.range_db) / 10)
        loud = (power >= least).nonzero()[0]
        return samples[loud[0] * hop : (loud[-1] + 1) * hop]
