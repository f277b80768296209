"""Batches of utterances of like duration."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_JITTER = 0.1
"""Relative noise on the durations before sorting, so that an utterance meets other neighbours in each epoch."""


def batches_by_duration(durations: Sequence[float], batch_s: float, seed: Sequence[int]) -> list[list[int]]:
    """Every index once, in batches whose padded audio stays within ``batch_s`` seconds, in random order.

    Args:
        durations: seconds of each utterance.
        batch_s: most seconds of a batch, the longest duration times the count; a longer utterance stands alone.
        seed: such as (run seed, epoch); equal seeds give equal batches.

    >>> sorted(map(sorted, batches_by_duration([1, 9, 1.5, 8], 20, [0])))
    [[0, 2], [1, 3]]
    """
    rng = np.random.default_rng(seed)
    lengths = np.asarray(durations, np.float64)
    order = np.argsort(lengths * rng.uniform(1 - _JITTER, 1 + _JITTER, len(lengths)))
    batches: list[list[int]] = []
    longest = np.inf
    for index in order:
        longest = max(longest, lengths[index])
        if longest * (len(batches[-1]) + 1 if batches else 1) > batch_s:
            batches.append([])
            longest = lengths[index]
        batches[-1].append(int(index))
    return [batches[i] for i in rng.permutation(len(batches))]
