"""Augmented copies of the training recordings, whose features are computed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from asr.data.augment import Alteration, Copy
from asr.errors import AudioError
from asr.features import FrontEnd
from asr.training.dataset import Example, compute_features


def with_augmented_copies(
    examples: Sequence[Example],
    frames_needed: Sequence[int],
    front_end: FrontEnd,
    alteration: Alteration,
    copies: int,
    cache_dir: str | Path | None = None,
) -> list[Example]:
    """Add to each example the features of its augmented copies 1 to ``copies`` that have enough frames for its labels.

    Args:
        examples: examples as recorded.
        frames_needed: for each example, the fewest frames that can spell its labels.
        front_end: computes features from samples.
        alteration: makes the copies.
        copies: number of copies per example.
        cache_dir: folder that keeps features, as in `compute_features`.

    Raises:
        AudioError: a recording that is mixed in cannot be read.
        CacheError: ``cache_dir`` cannot be written to or read.
    """
    utterances = [e.utterance for e in examples]
    made = [compute_features(utterances, front_end, cache_dir, Copy(alteration, n)) for n in range(1, copies + 1)]
    return [
        replace(example, altered=tuple(f for f in map(_readable, altered) if len(f) >= needed))
        for example, needed, *altered in zip(examples, frames_needed, *made, strict=True)
    ]


def _readable(features: np.ndarray | AudioError) -> np.ndarray:
    if isinstance(features, AudioError):
        raise features
    return features
