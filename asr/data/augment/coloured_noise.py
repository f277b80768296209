"""Additive noise that is made here, for where no recordings of noise are at hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.data.augment.mixing import mixed

_FLAT_BELOW_HZ = 20.0


@dataclass(frozen=True)
class ColouredNoise:
    """A transform that adds steady noise whose power falls with frequency f as 1 / f ** slope.

    Attributes:
        snr_db: lowest and highest ratio of the mean powers of speech and noise, drawn uniformly in decibels.
        slope: lowest and highest slope, drawn uniformly: 0 is white, 1 pink, 2 brown.
    """

    snr_db: tuple[float, float]
    slope: tuple[float, float] = (0.0, 2.0)

    def __call__(self, samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        """Add noise: samples (N,) → (N,)."""
        slope, snr_db = rng.uniform(*self.slope), rng.uniform(*self.snr_db)
        spectrum = np.fft.rfft(rng.standard_normal(len(samples)))
        hertz = np.maximum(np.fft.rfftfreq(len(samples), 1 / sample_rate), _FLAT_BELOW_HZ)
        noise = np.fft.irfft(spectrum / hertz ** (slope / 2), len(samples))
        return mixed(samples, noise.astype(np.float32), snr_db)
