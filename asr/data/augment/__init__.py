"""Data augmentation: transforms that make one utterance sound like many.

Transforms of samples (N,) → (N',) change speed, room, noise, babble, volume, telephone line and trimming. They take
time, so a few augmented copies of each recording are made once, before the features (`Alteration`).

Transforms of normalised features (T, F) are drawn anew in each epoch. Features have mean zero, so a masked value is the
mean.
"""

from __future__ import annotations

from asr.data.augment.additive_noise import AdditiveNoise
from asr.data.augment.alteration import Alteration, Copy, SampleTransform, Step
from asr.data.augment.babble import Babble
from asr.data.augment.close_cut import CloseCut
from asr.data.augment.equaliser import Equaliser
from asr.data.augment.frequency_warp import FrequencyWarp
from asr.data.augment.gaussian_noise import GaussianNoise
from asr.data.augment.options import AugmentOptions
from asr.data.augment.recordings import find_recordings
from asr.data.augment.simulated_room import SimulatedRoom
from asr.data.augment.spec_augment import SpecAugment
from asr.data.augment.speed import SpeedPerturbation
from asr.data.augment.telephone import Telephone
from asr.data.augment.time_stretch import TimeStretch
from asr.data.augment.transform import Transform
from asr.data.augment.volume import Volume

__all__ = [
    "AdditiveNoise",
    "Alteration",
    "AugmentOptions",
    "Babble",
    "CloseCut",
    "Copy",
    "Equaliser",
    "FrequencyWarp",
    "GaussianNoise",
    "SampleTransform",
    "SimulatedRoom",
    "SpecAugment",
    "SpeedPerturbation",
    "Step",
    "Telephone",
    "TimeStretch",
    "Transform",
    "Volume",
    "find_recordings",
]
