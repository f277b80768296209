"""The samples of a recording that are still needed, by their place in it."""

from __future__ import annotations

import numpy as np

from asr.arrays import Samples


class SampleBuffer:
    """Samples of one recording; the oldest are dropped once nothing needs them."""

    def __init__(self) -> None:
        """Begin a recording."""
        self._first = self.stop = 0
        self._parts: list[Samples] = []

    def append(self, samples: Samples) -> None:
        """Add samples (n,) float32 that follow the last."""
        self._parts.append(np.array(samples, np.float32))
        self.stop += len(samples)

    def span(self, start: int, stop: int) -> Samples:
        """Return a copy of samples ``[start, stop)``."""
        return self._joined()[start - self._first : stop - self._first].copy()

    def drop(self, before: int) -> None:
        """Let go of the samples before ``before``."""
        if before > self._first:
            kept = self._joined()[before - self._first :].copy()
            self._parts, self._first = [kept], before

    def _joined(self) -> Samples:
        if len(self._parts) != 1:
            self._parts = [np.concatenate(self._parts)] if self._parts else [np.empty(0, np.float32)]
        return self._parts[0]
