"""The front end, which computes features from samples with stored arrays and numpy alone.

The arrays (window, mel matrix, cosine transform) are computed by librosa once, when training starts, and stored in the
bundle. So training and transcription share this implementation, and transcription does not need librosa.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from asr.arrays import Features, Samples
from asr.errors import AudioTooShortError
from asr.stored_arrays import take

_BLOCK = 512
"""Frames transformed at a time, so that an hour of audio needs no more memory than ten seconds."""

_ROWS = 16
"""Frames in one matrix product."""

MOST_WINDOW = 1 << 16
_WHOLE = ("sample_rate", "hop_length", "delta_order", "margin")
_REAL = ("amin", "top_db")
LIMITS: dict[str, tuple[float, float]] = {
    "sample_rate": (1000, 384_000),
    "hop_length": (1, 384_000),
    "delta_order": (0, 4),
    "margin": (0, 1000),
    "amin": (1e-300, 1e300),
    "top_db": (1e-3, 1e6),
}
"""The least and the most that a front end may have."""


@dataclass(frozen=True, eq=False)
class FrontEnd:
    """A front end: short-time power spectrum in decibels, optionally mel bands, cepstra and their derivatives.

    Frames are centred as in librosa: frame t is centred at sample ``t * hop_length``, with zeros beyond the ends, so N
    samples give ``1 + N // hop_length`` frames, and ``margin`` more at each end.

    Attributes:
        sample_rate: sample rate of the samples, Hz.
        hop_length: samples between frames.
        window: (n_fft,) float32, the analysis window padded to the length of the transform.
        amin: smallest power; lower power is raised to it before the logarithm.
        top_db: levels are relative to the recording's loudest band and clipped this many decibels below it; None keeps
            absolute levels.
        mel: (n_mels, 1 + n_fft // 2) float32, or None to keep the linear spectrum.
        dct: (n_mfcc, n_mels) float32, or None to keep the bands.
        delta: (W,) float32 derivative filter, or None for no derivatives.
        delta_order: number of derivatives appended.
        margin: number of times the first and the last frame are repeated, so that the model has time to emit the last
            letter of a recording that ends right after the speech.
    """

    sample_rate: int
    hop_length: int
    window: np.ndarray
    amin: float
    top_db: float | None = None
    mel: np.ndarray | None = None
    dct: np.ndarray | None = None
    delta: np.ndarray | None = None
    delta_order: int = 0
    margin: int = 0

    @property
    def num_features(self) -> int:
        """The number of features F of a frame."""
        static = next(len(m) for m in (self.dct, self.mel, self.window[: 1 + len(self.window) // 2]) if m is not None)
        return static * (1 + self.delta_order)

    @property
    def centres_hz(self) -> np.ndarray | None:
        """The centre frequencies (F,) of the bands in Hz; None for cepstra and derivatives, which have none."""
        if self.dct is not None or self.delta_order:
            return None
        bins = np.fft.rfftfreq(len(self.window), 1 / self.sample_rate)
        return bins if self.mel is None else self.mel @ bins / self.mel.sum(1)

    def num_frames(self, num_samples: int) -> int:
        """Return the number of frames T of ``num_samples`` samples."""
        return 1 + num_samples // self.hop_length + 2 * self.margin

    def __call__(self, samples: Samples) -> Features:
        """Compute features (T, F) float32 of ``samples`` (N,) float32.

        Raises:
            AudioTooShortError: there are no samples.
        """
        if len(samples) == 0:
            raise AudioTooShortError("no samples; features need at least one")
        n_fft = len(self.window)
        padded = np.pad(np.asarray(samples, np.float32), n_fft // 2)
        frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[:: self.hop_length]
        frames = frames[: 1 + len(samples) // self.hop_length]
        decibels = np.concatenate([self._decibels(frames[i : i + _BLOCK]) for i in range(0, len(frames), _BLOCK)])
        if self.top_db is not None:
            decibels = np.maximum(decibels - decibels.max(), -self.top_db)
        static = (decibels if self.dct is None else _product(decibels, self.dct.T)).astype(np.float32)
        features = np.concatenate([static, *self._derivatives(static)], axis=1)
        return np.pad(features, ((self.margin, self.margin), (0, 0)), mode="edge")

    def _decibels(self, frames: np.ndarray) -> np.ndarray:
        spectrum = np.fft.rfft(frames * self.window)
        power = spectrum.real**2 + spectrum.imag**2
        if self.mel is not None:
            power = _product(power, self.mel.T)
        return 10 * np.log10(np.maximum(power, self.amin))

    def _derivatives(self, static: Features) -> list[Features]:
        derivatives, last = [], static
        for _ in range(self.delta_order):
            last = self._derivative(last)
            derivatives.append(last)
        return derivatives

    def _derivative(self, features: Features) -> Features:
        """Correlate features (T, F) with the derivative filter along time, repeating the end frames."""
        if self.delta is None:
            return features
        half = len(self.delta) // 2
        padded = np.pad(features, ((half, half), (0, 0)), mode="edge")
        slopes: np.ndarray = sum(w * padded[i : i + len(features)] for i, w in enumerate(self.delta)).astype(np.float32)
        return slopes

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that a bundle stores, by name of the attribute."""
        return {f.name: np.asarray(v) for f in fields(self) if (v := getattr(self, f.name)) is not None}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> FrontEnd:
        """Make a front end from the arrays of ``to_arrays``.

        Raises:
            ValueError: an array is missing, unknown, or of another kind, shape or range than a front end has.
        """
        if unknown := arrays.keys() - {f.name for f in fields(cls)}:
            raise ValueError(f"no front end has {', '.join(sorted(unknown))}")
        whole = {name: _number(arrays, name, "iu") for name in _WHOLE}
        real = {name: _number(arrays, name, "iuf") for name in _REAL if name == "amin" or name in arrays}
        window = take(arrays, "window", "f", (None,))
        bins = 1 + len(window) // 2
        mel = take(arrays, "mel", "f", (None, bins)) if "mel" in arrays else None
        bands = bins if mel is None else len(mel)
        dct = take(arrays, "dct", "f", (None, bands)) if "dct" in arrays else None
        delta = take(arrays, "delta", "f", (None,)) if "delta" in arrays else None
        if len(window) > MOST_WINDOW or max(bands, len(dct) if dct is not None else 0) > MOST_WINDOW:
            raise ValueError(f"a window of {len(window)} samples and {bands} bands; {MOST_WINDOW} are the most")
        if whole["delta_order"] and delta is None:
            raise ValueError(f"delta_order {whole['delta_order']} without delta")
        made: dict[str, Any] = {**whole, **real, "window": window, "mel": mel, "dct": dct, "delta": delta}
        return cls(**made)


def _number(arrays: Mapping[str, np.ndarray], name: str, dtype: str) -> Any:
    least, most = LIMITS[name]
    value = take(arrays, name, dtype, ()).item()
    if not least <= value <= most:
        raise ValueError(f"{name} must be {least:g} to {most:g}, got {value}")
    return value


def _product(frames: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Multiply (T, K) by (K, M), a few rows at a time: OpenBLAS does not use threads for such small products.

    Its threads would wait for the next product in a busy loop, and take the core from other computations.
    """
    whole = len(frames) - len(frames) % _ROWS
    stacked = frames[:whole].reshape(-1, _ROWS, frames.shape[1]) @ matrix
    return np.concatenate([stacked.reshape(whole, matrix.shape[1]), frames[whole:] @ matrix])
