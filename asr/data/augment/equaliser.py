"""Random equalisation, as by another microphone or room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.arrays import Features

_KNOTS = 5


@dataclass(frozen=True)
class Equaliser:
    """A transform that adds a constant to each band, as a channel does to a log spectrum.

    The constants lie on a curve through five normal draws. Normalisation per utterance would remove them, so it is
    useful with ``smoothed`` or ``global`` normalisation.

    Attributes:
        std: standard deviation of the draws, in standard deviations of the features.
    """

    std: float

    def __call__(self, features: Features, rng: np.random.Generator) -> Features:
        """Equalise features (T, F) → (T, F)."""
        places = np.linspace(0, _KNOTS - 1, features.shape[1])
        gains = np.interp(places, np.arange(_KNOTS), rng.normal(0, self.std, _KNOTS))
        return features + gains.astype(np.float32)
