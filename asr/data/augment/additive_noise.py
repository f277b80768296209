"""Additive noise from recordings."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from asr.arrays import Samples
from asr.data.augment.mixing import mean_power, mixed
from asr.data.augment.recordings import excerpt
from asr.data.utterance import Utterance

_SILENT = 1e-8
"""Mean power below which noise counts as silent, 80 dB below full scale."""

_DRAWS = 10


@dataclass(frozen=True)
class AdditiveNoise:
    """A transform that adds a noise recording, drawn at random and cut or looped to the length of the speech.

    Attributes:
        recordings: recordings of noise, at least one.
        snr_db: lowest and highest ratio of the mean powers of speech and noise, drawn uniformly in decibels.
    """

    recordings: tuple[Utterance, ...] = field(repr=False)
    snr_db: tuple[float, float]

    def __call__(self, samples: Samples, sample_rate: int, rng: np.random.Generator) -> Samples:
        """Add noise: samples (N,) → (N,).

        Raises:
            AudioError: the recording drawn cannot be read.
        """
        return mixed(samples, self._audible(len(samples), sample_rate, rng), rng.uniform(*self.snr_db))

    def _audible(self, count: int, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        """Draw noise (count,), again while it is silent, as much of the recording of a bark is."""
        for _ in range(_DRAWS):
            recording = self.recordings[rng.integers(len(self.recordings))]
            noise = excerpt(recording, count, sample_rate, rng)
            if mean_power(noise) > _SILENT:
                break
        return noise
