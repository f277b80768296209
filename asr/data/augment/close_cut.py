"""Single words as they are often cut: by level."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_WINDOW_S, _HOP_S = 0.025, 0.01


@dataclass(frozen=True)
class CloseCut:
    """Beginning and end cut off where they are a number of decibels, drawn from ``range_db``, below the loudest moment.

    With the silence go weak consonants: what is left of SIX may be its vowel.

    Attributes:
        range_db: least and most that what is cut off is below the loudest 25 ms.
    """

    range_db: tuple[float, float]

    def __call__(self, samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        """(N,) → (N',), N' <= N."""
        from librosa.effects import trim

        frame, hop = round(_WINDOW_S * sample_rate), round(_HOP_S * sample_rate)
        return trim(samples, top_db=rng.uniform(*self.range_db), frame_length=frame, hop_length=hop)[0]
