"""Two sounds at once, one so many decibels below the other."""

from __future__ import annotations

import numpy as np


def mixed(samples: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """``samples`` (N,) with ``noise`` (N,) added, scaled so that their mean powers differ by ``snr_db``.

    Where one of them is silent there is no such scale, and ``samples`` stay as they are.
    """
    speech_power, noise_power = mean_power(samples), mean_power(noise)
    if not speech_power or not noise_power:
        return samples
    return samples + noise * np.float32(np.sqrt(speech_power / noise_power * 10 ** (-snr_db / 10)))


def mean_power(samples: np.ndarray) -> float:
    """Mean square of ``samples`` (N,)."""
    return float(np.mean(np.square(samples, dtype=np.float64)))
