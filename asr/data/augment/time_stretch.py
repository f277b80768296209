"""Time stretching of features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.arrays import Features


@dataclass(frozen=True)
class TimeStretch:
    """A transform that interpolates frames to a speed drawn from [1 - amount, 1 + amount]; the pitch is unchanged."""

    amount: float

    def __call__(self, features: Features, rng: np.random.Generator) -> Features:
        """Stretch features (T, F) → (round(T / speed), F)."""
        frames = self.frames(len(features), rng)
        position = np.linspace(0, len(features) - 1, frames)
        low = np.minimum(position.astype(int), max(len(features) - 2, 0))
        share = (position - low).astype(np.float32)[:, None]
        stretched: np.ndarray = features[low] * (1 - share) + features[np.minimum(low + 1, len(features) - 1)] * share
        return stretched

    def frames(self, frames: int, rng: np.random.Generator) -> int:
        """Return the number of frames that ``__call__`` gives for ``frames`` and a generator in the same state."""
        return max(1, round(frames / rng.uniform(1 - self.amount, 1 + self.amount)))
