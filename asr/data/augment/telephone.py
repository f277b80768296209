"""The channel of a fixed telephone line."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import soundfile

from asr.arrays import Samples
from asr.audio import resample

LINE_HZ = 8000
"""Sample rate of a telephone channel (G.711)."""

_EDGES_HZ = (200, 300, 3400, 3600)
_GAINS = (0, 1, 1, 0)
"""Gains at the edges of the channel's band, 300 to 3400 Hz."""


@dataclass(frozen=True)
class Telephone:
    """A telephone channel: 300 to 3400 Hz, at 8 kHz, coded in 8-bit µ-law (ITU-T G.711), and decoded again."""

    def __call__(self, samples: Samples, sample_rate: int, rng: np.random.Generator) -> Samples:
        """Send samples (N,) → (N,) through the channel; nothing above 4 kHz is left."""
        line = through_mu_law(_band(resample(samples, sample_rate, LINE_HZ)))
        back = resample(line, LINE_HZ, sample_rate)[: len(samples)]
        return np.pad(back, (0, len(samples) - len(back)))


def _band(samples: Samples) -> Samples:
    """Filter samples at ``LINE_HZ`` to the channel's band, with zero phase."""
    count = _even_length(len(samples))
    gains = np.interp(np.fft.rfftfreq(count, 1 / LINE_HZ), _EDGES_HZ, _GAINS)
    return np.fft.irfft(np.fft.rfft(samples, count) * gains, count)[: len(samples)].astype(np.float32)


def _even_length(count: int) -> int:
    """Return a power of two, large enough for the ringing of the filter."""
    return 1 << (count + LINE_HZ // 10).bit_length()


def through_mu_law(samples: Samples) -> Samples:
    """Encode samples (N,) in 8-bit µ-law and decode them to (N,) float32 (libsndfile); values beyond ±1 are clipped."""
    line = io.BytesIO()
    form = {"samplerate": LINE_HZ, "subtype": "ULAW", "format": "RAW"}
    soundfile.write(line, np.clip(samples, -1, 1), **form)
    line.seek(0)
    heard: np.ndarray = soundfile.read(line, dtype="float32", channels=1, **form)[0]
    return heard
