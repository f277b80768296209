"""Cepstral mean and variance normalisation: by the training set, by each utterance, or between the two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from asr.arrays import Features
from asr.errors import TrainingError
from asr.stored_arrays import take

_FLOOR = 1e-3
"""Smallest standard deviation, so that a constant band becomes 0 and not infinite."""


@dataclass(frozen=True, eq=False)
class Cmvn:
    """Global normalisation by the mean ``mean`` (F,) and the standard deviation ``std`` (F,) of the training set."""

    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def fit(cls, features: Iterable[Features]) -> Cmvn:
        """Compute mean and standard deviation over all frames of the arrays (T, F), accumulated in float64.

        Raises:
            TrainingError: there are no frames.
        """
        count, total, squares = 0, np.zeros(1), np.zeros(1)
        for matrix in features:
            wide = matrix.astype(np.float64)
            count, total, squares = count + len(wide), total + wide.sum(0), squares + (wide**2).sum(0)
        if count == 0:
            raise TrainingError("CMVN needs frames to be fitted on, got none")
        mean = total / count
        std = np.sqrt(np.maximum(squares / count - mean**2, _FLOOR**2))
        return cls(mean.astype(np.float32), std.astype(np.float32))

    def __call__(self, features: Features) -> Features:
        """Normalise features (T, F); return an array of the same shape."""
        normalised: np.ndarray = (features - self.mean) / self.std
        return normalised

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that a bundle stores."""
        return {"mean": self.mean, "std": self.std}


@dataclass(frozen=True)
class UtteranceCmvn:
    """Normalisation of each utterance by its own mean and deviation; it has no state and adapts to the microphone."""

    def __call__(self, features: Features) -> Features:
        """Normalise features (T, F); return an array of the same shape."""
        normalised: np.ndarray = (features - features.mean(0)) / np.maximum(features.std(0), _FLOOR)
        return normalised

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that a bundle stores."""
        return {}


@dataclass(frozen=True, eq=False)
class SmoothedCmvn:
    """Normalisation by an utterance's mean, smoothed by ``prior_frames`` frames with the mean of the training set.

    A single word is too short for its own mean, which is mostly its vowel: subtracting it removes the vowel. The mean
    of the training set alone does not remove the effect of another microphone. The smoothed mean is the posterior mean
    under a Gaussian prior (Prasad & Umesh 2013). The standard deviation is that of the training set.

    Attributes:
        whole: the mean and standard deviation of the training set.
        prior_frames: the weight of the prior, in frames.
    """

    whole: Cmvn
    prior_frames: float

    def __call__(self, features: Features) -> Features:
        """Normalise features (T, F); return an array of the same shape."""
        mean = (features.sum(0) + self.prior_frames * self.whole.mean) / (len(features) + self.prior_frames)
        normalised: np.ndarray = ((features - mean) / self.whole.std).astype(np.float32)
        return normalised

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays that a bundle stores."""
        return {**self.whole.to_arrays(), "prior_frames": np.array(self.prior_frames, np.float32)}


Normaliser = Cmvn | UtteranceCmvn | SmoothedCmvn


def cmvn_from_arrays(arrays: Mapping[str, np.ndarray], num_features: int) -> Normaliser:
    """Restore a normaliser from ``to_arrays``: per utterance if empty, smoothed if there is a prior, else global.

    Raises:
        ValueError: an array is missing, unknown, or does not normalise frames of ``num_features`` features.
    """
    if unknown := arrays.keys() - {"mean", "std", "prior_frames"}:
        raise ValueError(f"no normalisation has {', '.join(sorted(unknown))}")
    if not arrays:
        return UtteranceCmvn()
    whole = Cmvn(take(arrays, "mean", "f", (num_features,)), take(arrays, "std", "f", (num_features,)))
    if whole.std.min() <= 0:
        raise ValueError(f"std must be above 0, got {whole.std.min()}")
    if "prior_frames" not in arrays:
        return whole
    prior_frames = float(take(arrays, "prior_frames", "f", ()))
    if prior_frames < 0:
        raise ValueError(f"prior_frames must be at least 0, got {prior_frames}")
    return SmoothedCmvn(whole, prior_frames)
