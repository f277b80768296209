"""Make one utterance sound like many: transforms of normalised features (T, F), each with a generator of its own draws.

Features are normalised to mean zero, so what is masked becomes the mean.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from asr.data.augment.equaliser import Equaliser
from asr.data.augment.frequency_warp import FrequencyWarp
from asr.data.augment.gaussian_noise import GaussianNoise
from asr.data.augment.spec_augment import SpecAugment
from asr.data.augment.time_stretch import TimeStretch

Transform = Callable[[np.ndarray, np.random.Generator], np.ndarray]

__all__ = ["Equaliser", "FrequencyWarp", "GaussianNoise", "SpecAugment", "TimeStretch", "Transform"]
