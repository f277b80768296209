"""A call over a fixed line."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import soundfile

from asr.audio import resample

LINE_HZ = 8000
"""Samples a second of a telephone channel (G.711)."""

_EDGES_HZ = (200, 300, 3400, 3600)
_GAINS = (0, 1, 1, 0)
"""The band of a channel, 300 to 3400 Hz, and how it begins and ends."""


@dataclass(frozen=True)
class Telephone:
    """300 to 3400 Hz, 8000 samples a second, and each in the eight bits of µ-law (ITU-T G.711), there and back."""

    def __call__(self, samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
        """(N,) → (N,), nothing above 4 kHz."""
        line = through_mu_law(_band(resample(samples, sample_rate, LINE_HZ)))
        back = resample(line, LINE_HZ, sample_rate)[: len(samples)]
        return np.pad(back, (0, len(samples) - len(back)))


def _band(samples: np.ndarray) -> np.ndarray:
    """Samples at ``LINE_HZ`` with the channel's band only, their phase as it was."""
    count = _even_length(len(samples))
    gains = np.interp(np.fft.rfftfreq(count, 1 / LINE_HZ), _EDGES_HZ, _GAINS)
    return np.fft.irfft(np.fft.rfft(samples, count) * gains, count)[: len(samples)].astype(np.float32)


def _even_length(count: int) -> int:
    """A power of two, with room for what the band's edges smear."""
    return 1 << (count + LINE_HZ // 10).bit_length()


def through_mu_law(samples: np.ndarray) -> np.ndarray:
    """(N,) → (N,) float32, each the value of its eight-bit code; beyond ±1 is the outermost. libsndfile's codec."""
    line = io.BytesIO()
    form = {"samplerate": LINE_HZ, "subtype": "ULAW", "format": "RAW"}
    soundfile.write(line, np.clip(samples, -1, 1), **form)
    line.seek(0)
    heard: np.ndarray = soundfile.read(line, dtype="float32", channels=1, **form)[0]
    return heard
