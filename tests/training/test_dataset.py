"""Batches: padded with zeros, the same order for the same seed and epoch, to be entered at any step."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.data import Utterance
from asr.errors import AudioNotFoundError
from asr.features import LogMel
from asr.training.dataset import Batch, Example, TrainingSet, collate, compute_features


def example(frames: int, labels: int, value: float = 1.0) -> Example:
    features = np.full((frames, 3), value, np.float32)
    return Example(Utterance(f"u{frames}", "x.wav", frames / 100, "", "s"), features, np.arange(1, labels + 1))


def made(transforms=(), needed: int = 0, seed: int = 0) -> TrainingSet:
    examples = [example(10 + i, 2, value=i) for i in range(9)]
    return TrainingSet(examples, 0.4, seed, transforms, [needed] * 9)


def same(one: Batch, other: Batch) -> bool:
    return all(np.array_equal(getattr(one, n), getattr(other, n)) for n in Batch.__dataclass_fields__)


def noise(features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return features + rng.normal(size=features.shape).astype(np.float32)


def test_a_batch_is_padded_with_zeros() -> None:
    batch = collate([example(2, 1), example(4, 3, value=2)])
    assert batch.features[:, :, 0].tolist() == [[1, 1, 0, 0], [2, 2, 2, 2]]
    assert batch.labels.tolist() == [[1, 0, 0], [1, 2, 3]]
    assert (batch.feature_lengths.tolist(), batch.label_lengths.tolist()) == ([2, 4], [1, 3])
    assert (batch.features.dtype, batch.feature_lengths.dtype, batch.labels.dtype) == (np.float32, np.int32, np.int32)
    assert batch.audio_s == pytest.approx(0.06)


def test_examples_without_labels_still_have_a_column() -> None:
    assert collate([example(2, 0)]).labels.shape == (1, 1)


def test_each_example_comes_once_an_epoch() -> None:
    assert sorted(itertools.chain(*made().order(3))) == list(range(9))


def test_the_order_is_that_of_seed_and_epoch() -> None:
    assert made().order(1) == made().order(1)
    assert made().order(1) != made().order(2)
    assert made().order(1) != made(seed=1).order(1)


@pytest.mark.parametrize("start", range(5))
def test_an_epoch_entered_at_a_step_is_the_tail_of_the_whole(start: int) -> None:
    whole = list(made([noise]).batches(2))
    tail = list(made([noise]).batches(2, start))
    assert len(whole) >= 4
    assert len(tail) == max(0, len(whole) - start)
    assert all(map(same, tail, whole[start:]))


def test_an_epoch_entered_at_its_end_is_empty() -> None:
    """A run killed after the last step and before the epoch's checkpoint."""
    assert list(made().batches(0, len(made().order(0)))) == []


def test_transforms_are_drawn_anew_each_epoch() -> None:
    first, second = (sum(b.features.sum() for b in made([noise]).batches(epoch)) for epoch in (0, 1))
    assert first != second


def halved(features: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return features[: len(features) // 2]


def test_a_transform_that_leaves_too_few_frames_is_not_applied() -> None:
    """Utterances have 10 to 18 frames; where 7 are needed, those of 14 and more are halved."""
    lengths = sorted(itertools.chain(*(b.feature_lengths for b in made([halved], needed=7).batches(0))))
    assert lengths == sorted([10, 11, 12, 13, 7, 7, 8, 8, 9])


def test_what_goes_wrong_while_reading_ahead_is_raised() -> None:
    def broken(features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        raise ZeroDivisionError("in a transform")

    with pytest.raises(ZeroDivisionError, match="in a transform"):
        list(made([broken]).batches(0))


def test_leaving_an_epoch_early_leaves_no_thread_behind() -> None:
    import threading

    before = threading.active_count()
    for _ in made([noise]).batches(0):
        break
    assert threading.active_count() == before


def test_features_are_of_the_utterances_own_span(tmp_path: Path) -> None:
    """The first and the second half second of one recording, and its end beyond them unused."""
    rng = np.random.default_rng(0)
    samples = np.round(rng.normal(0, 3000, 12000)).astype(np.int16)
    soundfile.write(tmp_path / "two.wav", samples, 8000)
    front_end = LogMel(sample_rate=8000, n_fft=256, win_length=200, hop_length=80, n_mels=8).front_end()
    spans = [Utterance(f"u{o}", str(tmp_path / "two.wav"), 0.5, "A", "s", offset=o) for o in (0.0, 0.5)]
    for features, start in zip(compute_features(spans, front_end), (0, 4000), strict=True):
        np.testing.assert_array_equal(features, front_end((samples[start : start + 4000] / 32768).astype(np.float32)))


def test_what_cannot_be_read_is_given_as_its_error(tmp_path: Path) -> None:
    missing = Utterance("gone", str(tmp_path / "gone.wav"), 1, "A", "s")
    front_end = LogMel(sample_rate=8000, n_fft=256, win_length=200, hop_length=80, n_mels=8).front_end()
    assert [type(f) for f in compute_features([missing], front_end)] == [AudioNotFoundError]
