"""Where a recording has speech: a small convolutional network on log-mel frames, in numpy.

    samples (N,) ─ log-mel ─▶ (T, 40) ─ conv 5 ─▶ (T, C) ─ conv 3, dilated, four times ─▶ (T, C) ─▶ probabilities (T,)

Each filter of the first layer sums to zero, so a change of level, the same number of decibels in every band, changes
nothing: the network hears shapes, not loudness. Convolutions reach a fixed way, so blocks computed with `CONTEXT_S` of
what surrounds them are what the whole gives. `recipes/voice_activity` trains the weights that ship.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path

import numpy as np

from asr.errors import BundleCorruptError, BundleNotFoundError

SAMPLE_RATE = 16_000
HOP_LENGTH = 160
FRAME_S = HOP_LENGTH / SAMPLE_RATE
CONTEXT_S = 0.49
"""No sample farther from a frame than this changes its probability: 47 frames, and half an analysis window."""

DILATIONS = (3, 6, 12, 24)
"""Frames between the three taps of the layers after the first."""

FLOOR = 3e-8
"""Power added to each band, about what rounding to 16 bits adds: what is below is silence at any level."""

_REACH = 2 + sum(DILATIONS)
_BLOCK, _TRANSFORMED = 2048, 256
"""Frames computed and, within, transformed at a time: an hour needs no more memory than twenty seconds, and transforms
stay in a processor's cache (twice as fast)."""

_WEIGHTS = Path(__file__).with_suffix(".npz")


@dataclass(frozen=True, eq=False)
class VoiceActivity:
    """Samples at 16 kHz → the probability, every 10 ms, that somebody speaks.

    Attributes:
        window: (n_fft,) the analysis window padded to the transform's length.
        mel: (F, 1 + n_fft // 2) mel filters, made by librosa at training.
        first, first_bias: (5, F, C) and (C,), the first layer's taps.
        deep, deep_bias: (L, 3, C, C) and (L, C), one dilated layer for each of `DILATIONS`, added to its input.
        out, out_bias: (C,) and (), the logit.
    """

    window: np.ndarray
    mel: np.ndarray
    first: np.ndarray
    first_bias: np.ndarray
    deep: np.ndarray
    deep_bias: np.ndarray
    out: np.ndarray
    out_bias: np.ndarray

    @classmethod
    def load(cls, path: str | Path | None = None) -> VoiceActivity:
        """Read weights (.npz); those that ship when None.

        Raises:
            BundleNotFoundError: no such file.
            BundleCorruptError: not weights of this network.
        """
        path = _WEIGHTS if path is None else Path(path)
        try:
            with np.load(path) as arrays:
                stored = {f.name: arrays[f.name].astype(np.float32) for f in fields(cls)}
        except FileNotFoundError as fault:
            raise BundleNotFoundError(f"{path}: no weights of a voice-activity detector; name a .npz file") from fault
        except Exception as fault:  # numpy raises what zipfile, pickle and its own reader happen to meet
            raise BundleCorruptError(f"{path}: not weights of a voice-activity detector ({fault})") from fault
        return cls(**stored)

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Probabilities of speech (1 + N // 160,) float32 for samples (N,) float32 at 16 kHz.

        Frame t is around sample ``160 * t``. Beyond the ends the network sees the first and the last frame repeated.
        """
        total = 1 + len(samples) // HOP_LENGTH
        starts = range(0, total, _BLOCK)
        return np.concatenate([self._block(samples, start, min(start + _BLOCK, total), total) for start in starts])

    def _block(self, samples: np.ndarray, start: int, stop: int, total: int) -> np.ndarray:
        """Probabilities of frames ``[start, stop)`` of ``total``."""
        first, last = max(start - _REACH, 0), min(stop + _REACH, total)
        steps = range(first, last, _TRANSFORMED)
        bands = np.concatenate([self.log_mel(samples, i, min(i + _TRANSFORMED, last)) for i in steps])
        beyond = (_REACH - (start - first), _REACH - (last - stop))
        hidden = _convolve(np.pad(bands, (beyond, (0, 0)), mode="edge"), self.first, self.first_bias, 1)
        for taps, bias, dilation in zip(self.deep, self.deep_bias, DILATIONS, strict=True):
            hidden = hidden[dilation:-dilation] + _convolve(hidden, taps, bias, dilation)
        logits = hidden @ self.out + self.out_bias
        return 1 / (1 + np.exp(-np.clip(logits, -30, 30)))

    def log_mel(self, samples: np.ndarray, start: int, stop: int) -> np.ndarray:
        """Natural log of mel power (stop - start, F) float32, zeros beyond the ends of ``samples``."""
        half = len(self.window) // 2
        low, high = start * HOP_LENGTH - half, (stop - 1) * HOP_LENGTH + half
        span = np.asarray(samples[max(low, 0) : high], np.float32)
        span = np.pad(span, (max(-low, 0), high - max(low, 0) - len(span)))
        frames = np.lib.stride_tricks.sliding_window_view(span, 2 * half)[::HOP_LENGTH]
        spectrum = np.fft.rfft(frames * self.window)
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
        return np.log(power @ self.mel.T + np.float32(FLOOR))


def _convolve(x: np.ndarray, taps: np.ndarray, bias: np.ndarray, dilation: int) -> np.ndarray:
    """ReLU of the convolution (T - (K - 1) · dilation, C') of ``x`` (T, C) with ``taps`` (K, C, C')."""
    length = len(x) - (len(taps) - 1) * dilation
    total = sum(x[i * dilation : i * dilation + length] @ tap for i, tap in enumerate(taps))
    return np.maximum(total + bias, 0)


def speech_spans(
    probabilities: np.ndarray,
    *,
    onset: float = 0.8,
    offset: float = 0.3,
    min_speech_s: float = 0.1,
    min_silence_s: float = 0.3,
    pad_s: float = 0.2,
) -> list[tuple[int, int]]:
    """Frames ``[start, stop)`` with speech, apart and in order, of probabilities (T,), one every `FRAME_S`.

    Args:
        probabilities: as `VoiceActivity` gives them.
        onset: what the probability must reach somewhere in a span.
        offset: what it must keep throughout, ``offset <= onset`` (hysteresis).
        min_speech_s: shorter spans are left out.
        min_silence_s: shorter silences are part of the speech around them; taken before ``min_speech_s``.
        pad_s: added to both ends, within the recording.

    Raises:
        ValueError: ``offset`` above ``onset``.

    >>> speech_spans(np.array([0.0, 0.4, 0.9, 0.4, 0.0, 0.4, 0.0]), min_speech_s=0.02, min_silence_s=0.0, pad_s=0.01)
    [(0, 5)]
    """
    if offset > onset:
        raise ValueError(f"offset must not be above onset, got offset={offset} and onset={onset}")
    opened = [
        (start, stop) for start, stop in _runs(probabilities >= offset) if probabilities[start:stop].max() >= onset
    ]
    joined = _joined(opened, round(min_silence_s / FRAME_S))
    pad, least = round(pad_s / FRAME_S), round(min_speech_s / FRAME_S)
    padded = [(max(a - pad, 0), min(b + pad, len(probabilities))) for a, b in joined if b - a >= least]
    return _joined(padded, 1)


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """Where ``flags`` (T,) are true, as ``[start, stop)``."""
    edges = np.flatnonzero(np.diff(np.r_[False, flags, False].astype(np.int8))).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def _joined(spans: list[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    """``spans`` with those less than ``gap`` frames apart made one."""
    if not spans:
        return []
    breaks = [i for i, (left, right) in enumerate(pairwise(spans), 1) if right[0] - left[1] >= gap]
    return [(spans[i][0], spans[j - 1][1]) for i, j in pairwise([0, *breaks, len(spans)])]
