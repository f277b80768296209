"""Resampling by soxr (HQ), of a whole recording and of a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import soxr

from asr.errors import SampleRateError

RATES_HZ = (4_000, 384_000)
"""Lowest and highest sample rate accepted for speech."""


def check_rate(rate: int | None, name: str) -> None:
    """Refuse a sample rate that speech cannot have; an unknown rate, None, passes.

    Raises:
        SampleRateError: the rate is outside 4 kHz to 384 kHz.
    """
    if rate is not None and not RATES_HZ[0] <= rate <= RATES_HZ[1]:
        raise SampleRateError(f"{name}: sample rate {rate} Hz; {RATES_HZ[0]} to {RATES_HZ[1]} Hz are needed")


def resample(samples: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """Resample samples (N,) float32 from ``from_rate`` to ``to_rate`` Hz: (round(N · to_rate / from_rate),)."""
    if from_rate == to_rate:
        return samples
    return np.asarray(soxr.resample(samples, from_rate, to_rate), dtype=np.float32)


class Resampler:
    """A streaming `resample`: the same samples come out, however the input is cut into packets."""

    def __init__(self, from_rate: int, to_rate: int) -> None:
        """Resample from ``from_rate`` to ``to_rate``, both in Hz.

        Raises:
            SampleRateError: ``from_rate`` is outside 4 kHz to 384 kHz.
        """
        check_rate(from_rate, "samples")
        same = from_rate == to_rate
        self._stream = None if same else soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32")

    def accept(self, samples: np.ndarray) -> np.ndarray:
        """Resample a packet (n,) float32; return the samples (m,) that can be computed so far."""
        return samples if self._stream is None else self._stream.resample_chunk(samples)

    def finish(self) -> np.ndarray:
        """Return the last resampled samples (m,); no more packets may follow."""
        empty = np.empty(0, np.float32)
        return empty if self._stream is None else self._stream.resample_chunk(empty, last=True)

    def over(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield every block resampled, then the last samples; no block is empty."""
        for block in blocks:
            if len(out := self.accept(block)):
                yield out
        if len(rest := self.finish()):
            yield rest
