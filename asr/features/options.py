"""Options of features; ``front_end()`` turns them into a front end whose arrays librosa computes.

Options have librosa's names and units: ``n_fft``, ``win_length`` and ``hop_length`` in samples at ``sample_rate``.
``top_db`` is that of librosa.power_to_db with ``ref=np.max``: levels are relative to the recording's loudest band and
clipped below, so that loudness and noise floor matter less. ``margin`` is the number of frames added at each end (see
``FrontEnd``).
``cmvn`` is how features are normalised before the network sees them: by each ``utterance``'s own mean and variance, by
those of all training data (``global``), or between the two (``smoothed``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from asr.checks import check_choice, check_number
from asr.errors import ConfigError, MissingExtraError
from asr.features.front_end import LIMITS, MOST_WINDOW, FrontEnd

_AMIN = 1e-10
"""The default of librosa.power_to_db."""


@dataclass(frozen=True)
class PowerSpectrogram:
    """Power in decibels at ``1 + n_fft // 2`` linear frequencies (librosa.stft, librosa.power_to_db)."""

    kind: str = "power_spectrogram"
    sample_rate: int = 16000
    n_fft: int = 512
    win_length: int = 400
    hop_length: int = 160
    window: str = "hann"
    top_db: float | None = None
    margin: int = 0
    cmvn: str = "utterance"

    def __post_init__(self) -> None:
        """Refuse a normalisation that does not exist, and numbers that no stored front end may have."""
        check_choice("features.cmvn", self.cmvn, ("utterance", "smoothed", "global"))
        for name, (least, most) in {**LIMITS, "n_fft": (1, MOST_WINDOW)}.items():
            value = getattr(self, name, None)
            if value is not None:
                check_number(f"features.{name}", value, least, most)
        if not 0 < self.hop_length <= self.win_length <= self.n_fft:
            raise ConfigError(
                "features need 0 < hop_length <= win_length <= n_fft, "
                f"got {self.hop_length}, {self.win_length}, {self.n_fft}"
            )

    def front_end(self) -> FrontEnd:
        """Build the front end with arrays from librosa."""
        librosa = _librosa()
        window = librosa.filters.get_window(self.window, self.win_length, fftbins=True)
        window = librosa.util.pad_center(window, size=self.n_fft).astype(np.float32)
        return FrontEnd(self.sample_rate, self.hop_length, window, _AMIN, self.top_db, margin=self.margin)


@dataclass(frozen=True)
class LogMel(PowerSpectrogram):
    """Power in decibels in ``n_mels`` bands from ``fmin_hz`` to ``fmax_hz`` (librosa.feature.melspectrogram)."""

    kind: str = "log_mel"
    n_mels: int = 40
    fmin_hz: float = 20.0
    fmax_hz: float | None = None

    def __post_init__(self) -> None:
        """Refuse bands that do not lie within a spectrum."""
        super().__post_init__()
        check_number("features.n_mels", self.n_mels, 1, self.n_fft, whole=True)
        if not 0 <= self.fmin_hz < (self.sample_rate / 2 if self.fmax_hz is None else self.fmax_hz) < np.inf:
            raise ConfigError(f"features need 0 <= fmin_hz < fmax_hz, got {self.fmin_hz} and {self.fmax_hz}")

    def front_end(self) -> FrontEnd:
        """Build the front end with arrays from librosa."""
        mel = _librosa().filters.mel(
            sr=self.sample_rate, n_fft=self.n_fft, n_mels=self.n_mels, fmin=self.fmin_hz, fmax=self.fmax_hz
        )
        return replace(super().front_end(), mel=mel.astype(np.float32))


@dataclass(frozen=True)
class Mfcc(LogMel):
    """The first ``n_mfcc`` cepstra (librosa.feature.mfcc: DCT-II, orthonormal) and ``delta_order`` derivatives.

    Derivatives are librosa.feature.delta's, a Savitzky-Golay filter of ``delta_width`` frames with the end frames
    repeated (``mode="nearest"``), so that an utterance shorter than the filter has them too.
    """

    kind: str = "mfcc"
    n_mfcc: int = 13
    delta_width: int = 9
    delta_order: int = 2

    def front_end(self) -> FrontEnd:
        """Build the front end with arrays from librosa and scipy."""
        import scipy.fft
        import scipy.signal

        dct = scipy.fft.dct(np.eye(self.n_mels), axis=0, type=2, norm="ortho")[: self.n_mfcc]
        delta = scipy.signal.savgol_coeffs(self.delta_width, polyorder=1, deriv=1, use="dot")
        return replace(
            super().front_end(),
            dct=dct.astype(np.float32),
            delta=delta.astype(np.float32),
            delta_order=self.delta_order,
        )


FEATURES = {"log_mel": LogMel, "mfcc": Mfcc, "power_spectrogram": PowerSpectrogram}


def make_front_end(kind: str, **options: Any) -> FrontEnd:
    """Build the front end of features by name: log_mel, mfcc or power_spectrogram.

    Raises:
        ConfigError: there are no such features, or their options are not possible.
        MissingExtraError: librosa is not installed.
    """
    if kind not in FEATURES:
        raise ConfigError(f"no features {kind!r}; there are {', '.join(FEATURES)}")
    try:
        chosen = FEATURES[kind](**options)
    except TypeError as fault:
        raise ConfigError(f"features: {fault}") from fault
    return freeze(chosen)


def freeze(options: PowerSpectrogram) -> FrontEnd:
    """Compute the arrays of ``options``.

    Raises:
        ConfigError: they make no sense.
        MissingExtraError: librosa is not installed.
    """
    librosa = _librosa()
    try:
        return options.front_end()
    except (TypeError, ValueError, librosa.ParameterError) as fault:
        raise ConfigError(f"features: {fault}") from fault


def _librosa() -> Any:
    try:
        import librosa
    except ImportError as missing:
        raise MissingExtraError("features need librosa for training", "train") from missing
    return librosa
