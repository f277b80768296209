"""Batches: padded with zeros, the same order for the same seed and epoch, to be entered at any step."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.data import Utterance
from asr.data.augment.time_stretch import TimeStretch
from asr.errors import AudioFormatError, AudioNotFoundError
from asr.features import FrontEnd, LogMel, UtteranceCmvn
from asr.training import dataset
from asr.training.dataset import Batch, Example, TrainingSet, collate, compute_features


def example(frames: int, labels: int, value: float = 1.0, phones: tuple[int, ...] = ()) -> Example:
    features = np.full((frames, 3), value, np.float32)
    utterance = Utterance(f"u{frames}", "x.wav", frames / 100, "", "s")
    return Example(utterance, features, np.arange(1, labels + 1), phones=phones)


def made(transforms=(), needed: int = 0, seed: int = 0) -> TrainingSet:
    examples = [example(10 + i, 2, value=i) for i in range(9)]
    return TrainingSet(examples, 40, seed, transforms, [needed] * 9)


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
    batch = collate([example(2, 0)])
    assert (batch.labels.shape, batch.phones.shape, batch.phone_lengths.tolist()) == ((1, 1), (1, 1), [0])


def test_phones_are_padded_beside_the_labels() -> None:
    batch = collate([example(2, 1, phones=(3, 2, 4, 1)), example(4, 3, phones=(5, 1))])
    assert batch.phones.tolist() == [[3, 2, 4, 1], [5, 1, 0, 0]]
    assert (batch.phone_lengths.tolist(), batch.phones.dtype, batch.phone_lengths.dtype) == ([4, 2], np.int32, np.int32)
    assert batch.labels.shape == (2, 3)


def test_what_is_changed_of_an_example_leaves_its_phones() -> None:
    """By a transform, and by showing an altered version."""
    altered = (np.full((5, 3), 2, np.float32),)
    examples = [replace(example(10 + i, 2, phones=(10 + i, 1)), altered=altered) for i in range(3)]
    batches = [b for epoch in range(4) for b in TrainingSet(examples, 40, 0, [noise], [0] * 3).batches(epoch)]
    phones = sorted(row.tolist() for batch in batches for row in batch.phones)
    assert phones == sorted([[10 + i, 1] for i in range(3)] * 4)


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


def test_batches_are_packed_as_stretched() -> None:
    """Packed by lengths before the stretch, 13 % and more would be padding."""
    frames = np.random.default_rng(0).gamma(2.0, 360, 1000).clip(130, 3500).astype(int)
    examples = [
        Example(Utterance(str(i), "", 1, "", ""), np.zeros((n, 1), np.float32), [1]) for i, n in enumerate(frames)
    ]
    for transforms in ([], [TimeStretch(0.15)], [TimeStretch(0.15), noise]):
        batches = list(TrainingSet(examples, 12_000, 0, transforms, [0] * 1000).batches(0))
        assert all(b.features.shape[0] * b.features.shape[1] <= 12_000 for b in batches)
        assert sum(b.feature_lengths.sum() for b in batches) / sum(b.features[..., 0].size for b in batches) > 0.9


def test_a_stretch_that_leaves_too_few_frames_is_not_reckoned_with() -> None:
    example_ = example(10, 1)
    for epoch in range(20):
        batches = TrainingSet([example_], 10, 0, [TimeStretch(0.5)], [10]).batches(epoch)
        assert next(batches).features.shape[1] >= 10


def test_features_are_normalised_when_asked_for() -> None:
    raw = np.arange(6, dtype=np.float32).reshape(3, 2)
    lazy = Example(Utterance("u", "x.wav", 1, "", "s"), raw, np.zeros(0, np.int32), UtteranceCmvn())
    np.testing.assert_array_equal(lazy.features, UtteranceCmvn()(raw))
    np.testing.assert_array_equal(collate([lazy]).features[0], lazy.features)


# Features, with and without a cache.


@pytest.fixture
def front_end() -> FrontEnd:
    return LogMel(sample_rate=8000, n_fft=256, win_length=200, hop_length=80, n_mels=8).front_end()


@pytest.fixture(params=[False, True], ids=["in memory", "cached"])
def cache_dir(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return tmp_path / "cache" if request.param else None


@pytest.fixture
def recordings(tmp_path: Path) -> list[Utterance]:
    """Three, and two spans of a fourth."""
    rng = np.random.default_rng(0)
    for number in range(4):
        samples = np.round(rng.normal(0, 3000, 12000 + 80 * number)).astype(np.int16)
        soundfile.write(tmp_path / f"{number}.wav", samples, 8000)
    whole = [Utterance(f"u{n}", str(tmp_path / f"{n}.wav"), 1.5, "A", "s") for n in range(3)]
    spans = [Utterance(f"v{o}", str(tmp_path / "3.wav"), 0.5, "A", "s", offset=o) for o in (0.0, 0.5)]
    return [*whole, *spans]


def test_features_are_of_the_utterances_own_span(tmp_path: Path, front_end: FrontEnd, cache_dir: Path | None) -> None:
    """The first and the second half second of one recording, and its end beyond them unused."""
    rng = np.random.default_rng(0)
    samples = np.round(rng.normal(0, 3000, 12000)).astype(np.int16)
    soundfile.write(tmp_path / "two.wav", samples, 8000)
    spans = [Utterance(f"u{o}", str(tmp_path / "two.wav"), 0.5, "A", "s", offset=o) for o in (0.0, 0.5)]
    for features, start in zip(compute_features(spans, front_end, cache_dir), (0, 4000), strict=True):
        np.testing.assert_array_equal(features, front_end((samples[start : start + 4000] / 32768).astype(np.float32)))


def test_what_cannot_be_read_is_given_as_its_error(
    recordings: list[Utterance], tmp_path: Path, front_end: FrontEnd, cache_dir: Path | None
) -> None:
    (tmp_path / "bad.wav").write_bytes(b"no audio")
    missing, bad = (Utterance(n, str(tmp_path / f"{n}.wav"), 1, "A", "s") for n in ("gone", "bad"))
    for _ in range(2):
        found = compute_features([missing, recordings[0], bad], front_end, cache_dir)
        assert [type(f) for f in found] == [AudioNotFoundError, np.ndarray, AudioFormatError]


def test_cached_features_are_those_computed_to_the_bit(
    recordings: list[Utterance], tmp_path: Path, front_end: FrontEnd
) -> None:
    computed = compute_features(recordings, front_end)
    for _ in range(2):
        for one, other in zip(computed, compute_features(recordings, front_end, tmp_path / "cache"), strict=True):
            np.testing.assert_array_equal(one, other)


def test_cached_features_make_the_same_batches_to_the_bit(
    recordings: list[Utterance], tmp_path: Path, front_end: FrontEnd
) -> None:
    def batches(cache_dir: Path | None) -> list[Batch]:
        features = compute_features(recordings, front_end, cache_dir)
        examples = [Example(u, f, np.ones(1), UtteranceCmvn()) for u, f in zip(recordings, features, strict=True)]
        return list(TrainingSet(examples, 200, 0, [TimeStretch(0.1), noise], [0] * 5).batches(0))

    assert all(map(same, batches(None), batches(tmp_path / "cache")))


def test_what_is_cached_is_not_decoded_again(
    recordings: list[Utterance], tmp_path: Path, front_end: FrontEnd, decoded: list[str]
) -> None:
    compute_features(recordings[:3], front_end, tmp_path / "cache")
    compute_features(recordings, front_end, tmp_path / "cache")
    compute_features(recordings[::-1], front_end, tmp_path / "cache")
    assert sorted(decoded) == sorted(u.audio_filepath for u in recordings)


def test_another_recording_under_the_same_name_gives_its_own_features(
    recordings: list[Utterance], tmp_path: Path, front_end: FrontEnd
) -> None:
    first = compute_features(recordings[:1], front_end, tmp_path / "cache")[0]
    soundfile.write(recordings[0].audio_filepath, np.random.default_rng(9).integers(-3000, 3000, 12000, "int16"), 8000)
    second = compute_features(recordings[:1], front_end, tmp_path / "cache")[0]
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(second, compute_features(recordings[:1], front_end)[0])


def test_another_front_end_gives_its_own_features(recordings: list[Utterance], tmp_path: Path) -> None:
    for bands in (8, 9):
        front_end = LogMel(sample_rate=8000, n_fft=256, win_length=200, hop_length=80, n_mels=bands).front_end()
        assert compute_features(recordings[:1], front_end, tmp_path / "cache")[0].shape[1] == bands


def test_a_damaged_shard_is_computed_anew(
    recordings: list[Utterance], tmp_path: Path, front_end: FrontEnd, decoded: list[str]
) -> None:
    expected = compute_features(recordings, front_end, tmp_path / "cache")[2].copy()
    shard = next((tmp_path / "cache").rglob("*.f32"))
    shard.write_bytes(shard.read_bytes()[:-4])
    np.testing.assert_array_equal(compute_features(recordings, front_end, tmp_path / "cache")[2], expected)
    compute_features(recordings, front_end, tmp_path / "cache")
    assert len(decoded) == 10


def test_a_cache_that_is_removed_meanwhile_costs_no_features(
    recordings: list[Utterance], tmp_path: Path, front_end: FrontEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "read_shards", lambda *_: {})
    for one, other in zip(
        compute_features(recordings, front_end, tmp_path / "cache"),
        compute_features(recordings, front_end),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
