"""Make one utterance sound like many: one transform a file.

Transforms of samples (N,) → (N',): another speed, room, noise, babble, volume, telephone, a close cut. They cost time,
so that a few altered copies of each recording are made once, before the features (`Alteration`).

Transforms of normalised features (T, F), drawn anew each time. Features are normalised to mean zero, so what is masked
becomes the mean.

`AugmentOptions` says how much of each; what it makes of them is all that the other rooms see.
"""

from __future__ import annotations

from asr.data.augment.alteration import Alteration, Copy, SampleTransform, Step
from asr.data.augment.options import AugmentOptions
from asr.data.augment.recordings import find_recordings
from asr.data.augment.transform import Transform

__all__ = ["Alteration", "AugmentOptions", "Copy", "SampleTransform", "Step", "Transform", "find_recordings"]
