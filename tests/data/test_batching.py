"""Every utterance once, in batches that fit, with little padding and new neighbours in each epoch."""

from __future__ import annotations

import numpy as np
import pytest

from asr.data.batching import batches_by_frames

RNG = np.random.default_rng(0)
READ = RNG.gamma(2.0, 360, 3000).clip(130, 3500).astype(int)
"""Frames as of read books: 1.3 to 35 s, 7 s in the mean."""
PROMPTS = RNG.lognormal(5.5, 0.6, 1000).clip(50, 700).astype(int)
"""Frames as of short prompts: 0.5 to 7 s, many below 3 s."""


def padding(frames: np.ndarray, batches: list[list[int]]) -> float:
    return 1 - frames.sum() / sum(len(b) * frames[b].max() for b in batches)


def test_each_index_once_and_no_batch_too_long() -> None:
    batches = batches_by_frames(READ, 12_000, (0, 0))
    assert sorted(i for batch in batches for i in batch) == list(range(3000))
    assert all(len(b) * READ[b].max() <= 12_000 for b in batches)


@pytest.mark.parametrize(
    ("frames", "most"), [(READ, 6_000), (READ, 12_000), (READ, 24_000), (PROMPTS, 4_800), (PROMPTS, 9_600)]
)
def test_less_than_a_tenth_is_padding(frames: np.ndarray, most: int) -> None:
    assert all(padding(frames, batches_by_frames(frames, most, (0, epoch))) < 0.1 for epoch in range(3))


def test_neighbours_are_others_in_each_epoch() -> None:
    def pairs(epoch: int) -> set[tuple[int, int]]:
        return {(i, j) for b in batches_by_frames(READ, 12_000, (0, epoch)) for i in b for j in b if i < j}

    assert len(pairs(0) & pairs(1)) < 0.3 * len(pairs(0))


def test_an_utterance_longer_than_a_batch_stands_alone() -> None:
    assert sorted(batches_by_frames([100, 5000, 100], 1000, (0, 0)), key=len)[0] == [1]


def test_epochs_differ_and_repeat() -> None:
    first, second = (batches_by_frames(READ, 12_000, (0, epoch)) for epoch in (0, 1))
    assert first != second
    assert first == batches_by_frames(READ, 12_000, (0, 0))


def test_nothing_gives_no_batches() -> None:
    assert batches_by_frames([], 4000, (0, 0)) == []
