"""Speech as a microphone elsewhere in the room hears it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.data.augment.impulse_response import Box, impulse_response
from asr.data.augment.mixing import mean_power

_FROM_WALLS_M = 0.4
_APART_M = 0.3


@dataclass(frozen=True)
class SimulatedRoom:
    """The impulse response of a box-shaped room, its size, decay, source and microphone drawn; see `impulse_response`.

    The direct sound stays where it was in time, and the mean power what it was.

    Attributes:
        smallest_m, largest_m: length, width and height.
        rt60_s: shortest and longest time in which sound decays by 60 dB.
    """

    smallest_m: tuple[float, float, float] = (3.0, 3.0, 2.4)
    largest_m: tuple[float, float, float] = (10.0, 8.0, 4.0)
    rt60_s: tuple[float, float] = (0.15, 0.8)

    def __call__(self, samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        """(N,) → (N,)."""
        return in_room(samples, impulse_response(self._box(rng), rng.uniform(*self.rt60_s), sample_rate))

    def _box(self, rng: np.random.Generator) -> Box:
        """Source and microphone anywhere but close to a wall or to each other."""
        size = rng.uniform(self.smallest_m, self.largest_m)
        while True:
            source, microphone = rng.uniform(_FROM_WALLS_M, size - _FROM_WALLS_M, (2, 3))
            if np.linalg.norm(source - microphone) >= _APART_M:
                return Box(tuple(size), tuple(source), tuple(microphone))


def in_room(samples: np.ndarray, response: np.ndarray) -> np.ndarray:
    """(N,) → (N,) float32: ``samples`` through ``response`` (L,), at the mean power they had."""
    count = 1 << (len(samples) + len(response)).bit_length()
    heard = np.fft.irfft(np.fft.rfft(samples, count) * np.fft.rfft(response, count), count)[: len(samples)]
    power = mean_power(heard)
    return (heard * (np.sqrt(mean_power(samples) / power) if power else 1)).astype(np.float32)
