"""Cepstral mean and variance normalisation, over a training set, over each utterance, or between the two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from asr.errors import TrainingError

_FLOOR = 1e-3
"""Smallest standard deviation, so that a constant band becomes zero and not infinite."""


@dataclass(frozen=True, eq=False)
class Cmvn:
    """Global normalisation: subtract ``mean`` (F,), divide by ``std`` (F,), both of the training set."""

    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def fit(cls, features: Iterable[np.ndarray]) -> Cmvn:
        """Mean and standard deviation over every frame of every (T, F) array, accumulated in float64.

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

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """(T, F) → (T, F)."""
        normalised: np.ndarray = (features - self.mean) / self.std
        return normalised

    def to_arrays(self) -> dict[str, np.ndarray]:
        """As stored in a bundle."""
        return {"mean": self.mean, "std": self.std}


@dataclass(frozen=True)
class UtteranceCmvn:
    """Each utterance by its own mean and standard deviation: no state, no corpus, robust to another microphone."""

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """(T, F) → (T, F)."""
        normalised: np.ndarray = (features - features.mean(0)) / np.maximum(features.std(0), _FLOOR)
        return normalised

    def to_arrays(self) -> dict[str, np.ndarray]:
        """As stored in a bundle."""
        return {}


@dataclass(frozen=True, eq=False)
class SmoothedCmvn:
    """An utterance's own mean, as if it had begun with ``prior_frames`` frames of the training set's.

    A word alone is too short for its own mean: that is mostly its vowel, and subtracting it takes the vowel away; the
    training set's mean alone leaves another microphone in. This is the posterior mean of a Gaussian prior
    (Prasad & Umesh 2013). The standard deviation is the training set's.

    Attributes:
        whole: of the training set.
        prior_frames: the prior's weight, in frames.
    """

    whole: Cmvn
    prior_frames: float

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """(T, F) → (T, F)."""
        mean = (features.sum(0) + self.prior_frames * self.whole.mean) / (len(features) + self.prior_frames)
        normalised: np.ndarray = ((features - mean) / self.whole.std).astype(np.float32)
        return normalised

    def to_arrays(self) -> dict[str, np.ndarray]:
        """As stored in a bundle."""
        return {**self.whole.to_arrays(), "prior_frames": np.array(self.prior_frames, np.float32)}


Normaliser = Cmvn | UtteranceCmvn | SmoothedCmvn


def cmvn_from_arrays(arrays: Mapping[str, np.ndarray]) -> Normaliser:
    """Read what ``to_arrays`` gave: no arrays make it per utterance, a prior smoothed, mean and deviation global."""
    if "mean" not in arrays:
        return UtteranceCmvn()
    whole = Cmvn(arrays["mean"], arrays["std"])
    return SmoothedCmvn(whole, float(arrays["prior_frames"])) if "prior_frames" in arrays else whole
