"""Data augmentation: transforms that make one utterance sound like many, one transform a file.

Transforms of samples (N,) → (N',) change speed, room, noise, babble, volume, telephone line and trimming. They take
time, so a few augmented copies of each recording are made once, before the features (`Alteration`).

Transforms of normalised features (T, F) are drawn anew in each epoch. Features have mean zero, so a masked value is the
mean.

`AugmentOptions` says how much of each; other rooms see nothing but what it makes of them.
"""

from __future__ import annotations

from asr.data.augment.alteration import Alteration, Copy, SampleTransform, Step
from asr.data.augment.options import AugmentOptions
from asr.data.augment.recordings import find_recordings
from asr.data.augment.transform import Transform

__all__ = ["Alteration", "AugmentOptions", "Copy", "SampleTransform", "Step", "Transform", "find_recordings"]
