"""Averages of the weights of several epochs (Polyak & Juditsky 1992; checkpoint averaging, Vaswani et al. 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from asr.training.checkpoint import load_arrays


def mean_of(paths: Sequence[Path]) -> dict[str, np.ndarray]:
    """Average the floating-point arrays of several .npz files; other arrays (seeds) are taken from the first file."""
    first = load_arrays(paths[0])
    total = {name: array.astype(np.float64) for name, array in first.items() if _is_weight(array)}
    for path in paths[1:]:
        later = load_arrays(path)
        for name in total:
            total[name] += later[name]
    return first | {name: (array / len(paths)).astype(first[name].dtype) for name, array in total.items()}


def _is_weight(array: np.ndarray) -> bool:
    return np.issubdtype(array.dtype, np.floating)
