"""Mixing of speech and noise at a signal-to-noise ratio."""

from __future__ import annotations

import numpy as np

from asr.arrays import Samples


def mixed(samples: Samples, noise: Samples, snr_db: float) -> Samples:
    """Return ``samples`` (N,) plus ``noise`` (N,), which is scaled for a ratio of mean powers of ``snr_db`` decibels.

    If one of them is silent, no such scale exists and ``samples`` are returned unchanged.
    """
    speech_power, noise_power = mean_power(samples), mean_power(noise)
    if not speech_power or not noise_power:
        return samples
    return samples + noise * np.float32(np.sqrt(speech_power / noise_power * 10 ** (-snr_db / 10)))


def mean_power(samples: np.ndarray) -> float:
    """Return the mean square of ``samples`` (N,)."""
    return float(np.mean(np.square(samples, dtype=np.float64)))
