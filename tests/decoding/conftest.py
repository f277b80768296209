"""What several decoders are held against."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby, product

import numpy as np
import pytest


def _random_log_probs(seed: int, frames: int, labels: int, sharpness: float = 2.0) -> np.ndarray:
    logits = sharpness * np.random.default_rng(seed).normal(size=(frames, labels))
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def _sums_over_paths(log_probs: np.ndarray) -> dict[tuple[int, ...], float]:
    sums: dict[tuple[int, ...], float] = defaultdict(lambda: -np.inf)
    frames, labels = log_probs.shape
    for path in product(range(labels), repeat=frames):
        reading = tuple(label for label, _ in groupby(path) if label)
        sums[reading] = np.logaddexp(sums[reading], log_probs[np.arange(frames), path].sum())
    return sums


@pytest.fixture(scope="session")
def random_log_probs():
    """(seed, frames, labels, sharpness) → log-probabilities (frames, labels)."""
    return _random_log_probs


@pytest.fixture(scope="session")
def sums_over_paths():
    """ln p of every reading: each of the V**T paths, collapsed."""
    return _sums_over_paths
