"""Every utterance once, in batches that fit."""

from __future__ import annotations

import numpy as np

from asr.data.batching import batches_by_duration

DURATIONS = np.random.default_rng(0).uniform(0.3, 12, 500)


def test_each_index_once_and_no_batch_too_long() -> None:
    batches = batches_by_duration(DURATIONS, 40, (0, 0))
    assert sorted(i for batch in batches for i in batch) == list(range(500))
    assert all(len(b) * DURATIONS[b].max() <= 40 for b in batches)


def test_little_is_padding() -> None:
    batches = batches_by_duration(DURATIONS, 60, (0, 0))
    padded = sum(len(b) * DURATIONS[b].max() for b in batches)
    assert DURATIONS.sum() / padded > 0.88


def test_an_utterance_longer_than_a_batch_stands_alone() -> None:
    assert sorted(batches_by_duration([1, 50, 1], 10, (0, 0)), key=len)[0] == [1]


def test_epochs_differ_and_repeat() -> None:
    first, second = (batches_by_duration(DURATIONS, 40, (0, epoch)) for epoch in (0, 1))
    assert first != second
    assert first == batches_by_duration(DURATIONS, 40, (0, 0))


def test_nothing_gives_no_batches() -> None:
    assert batches_by_duration([], 40, (0, 0)) == []
