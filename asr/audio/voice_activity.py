"""Voice activity detection by a small convolutional network on log-mel frames, run by ONNX Runtime on one core.

    samples (N,) ─ FFT ─▶ (T, 257) ─ log-mel ─▶ (T, 40) ─ conv 5 ─ conv 3, dilated, four times ─▶ probabilities (T,)

The layers after the second, and so the probabilities, are computed every 20 ms; the probability halfway between two of
these is their mean. Each filter of the first layer sums to zero, so a change of level, the same number of decibels in
every band, changes nothing: the network responds to the shape of the spectrum, not to loudness. The receptive field is
finite, so blocks computed with `CONTEXT_S` of audio on each side give the same probabilities as the whole recording.
`tools/voice_activity` trains the network of this package.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from asr.errors import BundleCorruptError, BundleNotFoundError
from asr.onnx_runtime import import_onnxruntime

SAMPLE_RATE = 16_000
HOP_LENGTH = 160
FRAME_S = HOP_LENGTH / SAMPLE_RATE
CONTEXT_S = 0.5
"""Seconds within which samples change a frame's probability: 48 frames and half an analysis window, rounded up."""

STEP = 2
"""Frames between two probabilities of the network."""

DILATIONS = (3, 6, 12, 24)
"""Frames between the three taps of the layers after the first."""

WINDOW_LENGTH, N_FFT = 400, 512

_REACH = 2 + sum(DILATIONS)
_WINDOW = np.hanning(WINDOW_LENGTH + 1)[:-1].astype(np.float32)
_BLOCK, _TRANSFORMED = 2048, 128
"""Frames computed, and frames transformed, at a time: an hour needs no more memory than twenty seconds, and transforms
stay in the processor's cache."""

_NETWORK = Path(__file__).with_suffix(".onnx")


class VoiceActivity:
    """A detector of speech: probabilities every 10 ms from samples at 16 kHz. Threads may share one detector."""

    def __init__(self, network: Path | bytes) -> None:
        """Load an ONNX file or its bytes: ``power`` (T, 257) → ``log_mel`` (T, F), ``speech`` ((T - 93) // 2,)."""
        onnxruntime = import_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # The matrices are so small that threads would wait for each other longer than they compute.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        model = network if isinstance(network, bytes) else str(network)
        self._session: Any = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    @classmethod
    def load(cls, path: str | Path | None = None) -> VoiceActivity:
        """Read a network (.onnx); None reads the network of this package.

        Raises:
            BundleNotFoundError: the file does not exist.
            BundleCorruptError: the file is not such a network.
        """
        path = _NETWORK if path is None else Path(path)
        if not path.is_file():
            raise BundleNotFoundError(f"{path}: no such file; a voice-activity detector (.onnx) is needed")
        try:
            detector = cls(path)
            detector(np.zeros(1, np.float32))
        except Exception as fault:  # ONNX Runtime's own classes share no other base
            reason = str(fault).splitlines()[0]
            raise BundleCorruptError(f"{path}: not a voice-activity detector ({reason})") from fault
        return detector

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Compute probabilities of speech (1 + N // 160,) float32 from samples (N,) float32 at 16 kHz.

        Frame t is centred at sample ``160 * t``. Beyond the ends, the first and the last frame are repeated.
        """
        total = 1 + len(samples) // HOP_LENGTH
        starts = range(0, total, _BLOCK)
        computed = np.concatenate([self._block(samples, start, min(start + _BLOCK, total), total) for start in starts])
        between = np.append((computed[:-1] + computed[1:]) / 2, computed[-1:])
        return np.stack([computed, between], axis=1).reshape(-1)[:total]

    def _block(self, samples: np.ndarray, start: int, stop: int, total: int) -> np.ndarray:
        """Compute the probabilities of every other frame in ``[start, stop)`` of ``total`` frames."""
        first, last = max(start - _REACH, 0), min(stop + _REACH, total)
        beyond = (_REACH - (start - first), _REACH - (last - stop))
        power = np.pad(_power(samples, first, last), (beyond, (0, 0)), mode="edge")
        speech: np.ndarray = self._session.run(["speech"], {"power": power})[0]
        return speech

    def log_mel(self, samples: np.ndarray) -> np.ndarray:
        """Compute the network's log-mel features (1 + N // 160, F) float32, natural logarithms, of samples (N,)."""
        power = np.pad(_power(samples, 0, 1 + len(samples) // HOP_LENGTH), ((_REACH, _REACH), (0, 0)), mode="edge")
        log_mel: np.ndarray = self._session.run(["log_mel"], {"power": power})[0][_REACH:-_REACH]
        return log_mel


def _power(samples: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Compute power (stop - start, 257) float32 of windows centred at samples ``160 * t``, zeros beyond the ends."""
    half = WINDOW_LENGTH // 2
    low, high = start * HOP_LENGTH - half, (stop - 1) * HOP_LENGTH + half
    span = np.asarray(samples[max(low, 0) : high], np.float32)
    if len(span) < high - low:
        span = np.pad(span, (max(-low, 0), high - max(low, 0) - len(span)))
    frames = np.lib.stride_tricks.sliding_window_view(span, WINDOW_LENGTH)[::HOP_LENGTH]
    power = np.empty((len(frames), 1 + N_FFT // 2), np.float32)
    for at in range(0, len(frames), _TRANSFORMED):
        spectrum = np.fft.rfft(frames[at : at + _TRANSFORMED] * _WINDOW, N_FFT)
        power[at : at + _TRANSFORMED] = spectrum.real**2 + spectrum.imag**2
    return power


def speech_spans(
    probabilities: np.ndarray,
    *,
    onset: float = 0.8,
    offset: float = 0.3,
    min_speech_s: float = 0.1,
    min_silence_s: float = 0.3,
    pad_s: float = 0.2,
) -> list[tuple[int, int]]:
    """Find the spans of speech ``[start, stop)`` in frames, disjoint and in order, from probabilities (T,).

    Args:
        probabilities: probabilities of speech every `FRAME_S`, from `VoiceActivity`.
        onset: probability that a span must reach somewhere.
        offset: probability that a span must keep throughout, ``offset <= onset`` (hysteresis).
        min_speech_s: shorter spans are left out, seconds.
        min_silence_s: shorter silences join the spans around them, before ``min_speech_s`` is applied; seconds.
        pad_s: seconds added to both ends, within the recording.

    Raises:
        ValueError: ``offset`` is above ``onset``.

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
    """Return the spans ``[start, stop)`` in which ``flags`` (T,) are true."""
    edges = np.flatnonzero(np.diff(np.r_[False, flags, False].astype(np.int8))).tolist()
    return list(zip(edges[::2], edges[1::2], strict=True))


def _joined(spans: list[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    """Join spans that are less than ``gap`` frames apart."""
    if not spans:
        return []
    breaks = [i for i, (left, right) in enumerate(pairwise(spans), 1) if right[0] - left[1] >= gap]
    return [(spans[i][0], spans[j - 1][1]) for i, j in pairwise([0, *breaks, len(spans)])]
