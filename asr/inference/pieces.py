"""Cut a long recording where it is quiet, so that a model trained on utterances can read it."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

_SMOOTHING_S = 0.2


def cut_at_quiet(samples: np.ndarray, sample_rate: int, hop_length: int, max_s: float) -> list[tuple[int, int]]:
    """Feature frames ``[start, stop)`` of pieces that last at most ``max_s`` seconds and together are everything.

    A recording is divided about evenly (31 s into twice 15.5 s, not 30 s and 1 s), each cut moved by up to a sixth
    of ``max_s`` to the quietest 0.2 s (digital silence: as near as there is).

    >>> noise = np.sin(np.arange(60 * 100.0))
    >>> noise[31 * 100 : 32 * 100] = 0.0
    >>> cut_at_quiet(noise, sample_rate=100, hop_length=1, max_s=40.0)
    [(0, 3110), (3110, 6001)]
    """
    total, most = 1 + len(samples) // hop_length, int(max_s * sample_rate / hop_length)
    cuts = [0]
    if total > most:
        loudness = _loudness(samples, hop_length, round(_SMOOTHING_S * sample_rate / hop_length))
        while total - cuts[-1] > most:
            cuts.append(_next_cut(loudness, cuts[-1], total, most))
    return list(pairwise([*cuts, total]))


def _loudness(samples: np.ndarray, hop_length: int, width: int) -> np.ndarray:
    """Mean square of the samples in ``width`` frames around each frame (N // hop_length,)."""
    frames = samples[: len(samples) // hop_length * hop_length].reshape(-1, hop_length)
    energy = np.einsum("ij,ij->i", frames, frames)
    return np.convolve(energy, np.ones(max(width, 1)), mode="same")


def _next_cut(loudness: np.ndarray, start: int, total: int, most: int) -> int:
    """The quietest frame near the end of an even share of what is left."""
    left = total - start
    even = left // math.ceil(left / most)
    reach = most // 6
    low, high = start + max(even - reach, 1), start + min(even + reach, most)
    span = loudness[low : high + 1]
    quietest = low + np.flatnonzero(span == span.min())
    return int(quietest[np.abs(quietest - start - even).argmin()])
