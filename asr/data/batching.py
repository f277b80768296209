"""Batches of utterances of similar length."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_JITTER = 0.05
"""Relative noise on the lengths before sorting, so that an utterance meets other neighbours in each epoch."""


def batches_by_frames(frames: Sequence[int], most: float, seed: Sequence[int]) -> list[list[int]]:
    """Return batches of indices in random order, each index once, with at most ``most`` padded frames per batch.

    Padding is 3 to 8 % of a batch for speech, where a batch holds a hundredth of the utterances or less.

    Args:
        frames: number of frames of each utterance, as the model will see it.
        most: maximum of longest utterance times count in a batch; a longer utterance is a batch by itself.
        seed: seed such as (run seed, epoch); equal seeds give equal batches.

    >>> sorted(map(sorted, batches_by_frames([100, 900, 150, 800], 2000, [0])))
    [[0, 2], [1, 3]]
    """
    rng = np.random.default_rng(seed)
    lengths = np.asarray(frames, np.float64)
    order = np.argsort(lengths * rng.uniform(1 - _JITTER, 1 + _JITTER, len(lengths)))
    batches: list[list[int]] = []
    longest = np.inf
    for index in order:
        longest = max(longest, lengths[index])
        if longest * (len(batches[-1]) + 1 if batches else 1) > most:
            batches.append([])
            longest = lengths[index]
        batches[-1].append(int(index))
    return [batches[i] for i in rng.permutation(len(batches))]
