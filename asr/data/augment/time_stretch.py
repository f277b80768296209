"""Faster and slower speech."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TimeStretch:
    """Frames interpolated to a length divided by a speed drawn from [1 - amount, 1 + amount]; pitch stays."""

    amount: float

    def __call__(self, features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(T, F) → (round(T / speed), F)."""
        frames = self.frames(len(features), rng)
        position = np.linspace(0, len(features) - 1, frames)
        low = np.minimum(position.astype(int), max(len(features) - 2, 0))
        share = (position - low).astype(np.float32)[:, None]
        stretched: np.ndarray = features[low] * (1 - share) + features[np.minimum(low + 1, len(features) - 1)] * share
        return stretched

    def frames(self, frames: int, rng: np.random.Generator) -> int:
        """The length that ``__call__`` will give ``frames`` with the same generator."""
        return max(1, round(frames / rng.uniform(1 - self.amount, 1 + self.amount)))
