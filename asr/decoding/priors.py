"""The prior of each label, which is its share of all frames, for a search that divides it out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from asr.arrays import LabelLogProbs


def log_priors(log_probs: Sequence[LabelLogProbs]) -> np.ndarray:
    """Return the natural logarithm (V,) of each label's mean probability over all frames of recordings (T_i, V).

    >>> log_priors([np.log([[0.9, 0.1], [0.5, 0.5]]), np.log([[0.7, 0.3]])]).round(2).tolist()
    [-0.36, -1.2]
    """
    total = sum(np.exp(one, dtype=np.float64).sum(axis=0) for one in log_probs)
    found: np.ndarray = np.log(np.maximum(total / sum(map(len, log_probs)), np.finfo(np.float32).tiny))
    return found


def discount(priors: Sequence[float], scale: float) -> np.ndarray | None:
    """Return the values (V,) float32 to subtract from each frame's log-probabilities.

    The value of the most frequent label is 0. Return None if there is nothing to subtract, because there are no
    priors or the scale is 0.

    Args:
        priors: (V,) as ``log_priors`` returns them, or empty.
        scale: as `FusionWeights.prior_scale`.
    """
    if not len(priors) or not scale:
        return None
    logs = np.asarray(priors)
    found: np.ndarray = (scale * (logs - logs.max())).astype(np.float32)
    return found
