"""Altered versions of the training recordings, made once, and which version an epoch shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from asr.data.augment import Alteration, Copy
from asr.errors import AudioError
from asr.features import FrontEnd
from asr.training.dataset import Example, compute_features


def with_versions(
    examples: Sequence[Example],
    frames_needed: Sequence[int],
    front_end: FrontEnd,
    alteration: Alteration,
    copies: int,
    cache_dir: str | Path | None = None,
) -> list[Example]:
    """``examples``, each with the features of its copies 1 to ``copies`` that can spell its labels.

    Args:
        examples: as recorded.
        frames_needed: of each, the fewest frames that can spell its labels.
        front_end: samples → features.
        alteration: makes the copies.
        copies: how many of each.
        cache_dir: where features are kept, as of `compute_features`.

    Raises:
        AudioError: a recording that is mixed in cannot be read.
        CacheError: as `compute_features`.
    """
    utterances = [e.utterance for e in examples]
    made = [compute_features(utterances, front_end, cache_dir, Copy(alteration, n)) for n in range(1, copies + 1)]
    return [
        replace(example, altered=tuple(v for v in map(_readable, versions) if len(v) >= needed))
        for example, needed, *versions in zip(examples, frames_needed, *made, strict=True)
    ]


def _readable(features: np.ndarray | AudioError) -> np.ndarray:
    if isinstance(features, AudioError):
        raise features
    return features
