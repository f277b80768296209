"""Something else that sounds meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from asr.data.augment.mixing import mean_power, mixed
from asr.data.augment.recordings import excerpt
from asr.data.utterance import Utterance

_SILENT = 1e-8
"""Mean power, 80 dB below full scale."""

_DRAWS = 10


@dataclass(frozen=True)
class AdditiveNoise:
    """A recording drawn from ``recordings``, cut or looped to length, under the speech from its start to its end.

    Attributes:
        recordings: of noise, at least one.
        snr_db: lowest and highest ratio of the mean powers of speech and noise, drawn evenly in decibels.
    """

    recordings: tuple[Utterance, ...] = field(repr=False)
    snr_db: tuple[float, float]

    def __call__(self, samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        """(N,) → (N,).

        Raises:
            AudioError: the recording drawn cannot be read.
        """
        return mixed(samples, self._audible(len(samples), sample_rate, rng), rng.uniform(*self.snr_db))

    def _audible(self, count: int, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        """Samples (count,) drawn anew while they are silent, as much of a bark's recording is."""
        for _ in range(_DRAWS):
            recording = self.recordings[rng.integers(len(self.recordings))]
            noise = excerpt(recording, count, sample_rate, rng)
            if mean_power(noise) > _SILENT:
                break
        return noise
