"""Single words as they are often cut: by level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_WINDOW_S, _HOP_S = 0.025, 0.01


@dataclass(frozen=True)
class CloseCut:
    """Beginning and end cut off where they are a number of decibels, drawn from ``range_db``, below the loudest moment.

    With the silence go weak consonants: what is left of SIX may be its vowel. It cuts as `librosa.effects.trim`.

    Attributes:
        range_db: least and most that what is cut off is below the loudest 25 ms.
    """

    range_db: tuple[float, float]

    def __call__(self, samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        """(N,) → (N',), N' <= N."""
        window, hop = round(_WINDOW_S * sample_rate), round(_HOP_S * sample_rate)
        frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, window // 2), window)[::hop]
        power = np.square(frames, dtype=np.float64).mean(axis=1)
        least = power.max() * 10 ** (-rng.uniform(*self.range_db) / 10)
        loud = (power >= least).nonzero()[0]
        return samples[loud[0] * hop : (loud[-1] + 1) * hop]
