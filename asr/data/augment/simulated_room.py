"""Reverberation of a simulated room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.arrays import Samples
from asr.data.augment.impulse_response import Box, impulse_response
from asr.data.augment.mixing import mean_power

_FROM_WALLS_M = 0.4
_APART_M = 0.3


@dataclass(frozen=True)
class SimulatedRoom:
    """A transform that adds the reverberation of a random box-shaped room; see `impulse_response`.

    Size, decay, source and microphone are drawn. The direct sound keeps its time, and the signal its mean power.

    Attributes:
        smallest_m, largest_m: length, width and height in metres.
        rt60_s: shortest and longest time in which sound decays by 60 dB.
    """

    smallest_m: tuple[float, float, float] = (3.0, 3.0, 2.4)
    largest_m: tuple[float, float, float] = (10.0, 8.0, 4.0)
    rt60_s: tuple[float, float] = (0.15, 0.8)

    def __call__(self, samples: Samples, sample_rate: int, rng: np.random.Generator) -> Samples:
        """Reverberate samples (N,) → (N,)."""
        return in_room(samples, impulse_response(self._box(rng), rng.uniform(*self.rt60_s), sample_rate))

    def _box(self, rng: np.random.Generator) -> Box:
        """Draw a room whose source and microphone are not close to a wall or to each other."""
        size = rng.uniform(self.smallest_m, self.largest_m)
        while True:
            source, microphone = rng.uniform(_FROM_WALLS_M, size - _FROM_WALLS_M, (2, 3))
            if np.linalg.norm(source - microphone) >= _APART_M:
                return Box(tuple(size), tuple(source), tuple(microphone))


def in_room(samples: Samples, response: np.ndarray) -> Samples:
    """Apply ``response`` (L,) to ``samples`` (N,) by convolution, keeping length and mean power; (N,) float32."""
    count = 1 << (len(samples) + len(response)).bit_length()
    heard = np.fft.irfft(np.fft.rfft(samples, count) * np.fft.rfft(response, count), count)[: len(samples)]
    power = mean_power(heard)
    return (heard * (np.sqrt(mean_power(samples) / power) if power else 1)).astype(np.float32)
