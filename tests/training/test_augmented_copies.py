"""Augmented copies: made once and cached; an epoch shows one, the same to every worker and after a restart."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from asr.audio import load_audio
from asr.cli.train import run_configured
from asr.data import Utterance
from asr.data.augment import Alteration, Copy, Step, find_recordings
from asr.data.augment.additive_noise import AdditiveNoise
from asr.data.augment.babble import Babble
from asr.data.augment.time_stretch import TimeStretch
from asr.data.augment.volume import Volume
from asr.errors import AudioError, ConfigError
from asr.features import FrontEnd, LogMel
from asr.training.augmented_copies import with_augmented_copies
from asr.training.dataset import Batch, Example, TrainingSet, compute_features
from asr.training.trainer import Trainer

RATE = 8000


@pytest.fixture
def front_end() -> FrontEnd:
    return LogMel(sample_rate=RATE, n_fft=256, win_length=200, hop_length=80, n_mels=8).front_end()


@pytest.fixture
def recordings(tmp_path: Path) -> list[Utterance]:
    made = []
    for number in range(9):
        path = tmp_path / f"{number}.wav"
        soundfile.write(path, np.random.default_rng(number).normal(0, 0.1, 4000 + 80 * number), RATE)
        made.append(Utterance(f"u{number}", str(path), 0.5, "A", "s"))
    return made


def louder(most_db: float = 6.0, seed: int = 0) -> Alteration:
    return Alteration((Step("volume", Volume(most_db)),), seed)


def examples_of(utterances: list[Utterance], front_end: FrontEnd, cache_dir: Path | None = None) -> list[Example]:
    features = compute_features(utterances, front_end, cache_dir)
    return [Example(u, np.asarray(f), np.ones(1, np.int32)) for u, f in zip(utterances, features, strict=True)]


# Made and kept


def test_a_copy_s_features_are_those_of_its_samples(
    recordings: list[Utterance], front_end: FrontEnd, tmp_path: Path
) -> None:
    alteration = louder()
    expected = [alteration(load_audio(u.audio_filepath, RATE)[:4000], RATE, u.id, 2) for u in recordings]
    for cache_dir in (None, tmp_path / "cache", tmp_path / "cache"):
        found = compute_features(recordings, front_end, cache_dir, Copy(alteration, 2))
        for features, samples in zip(found, expected, strict=True):
            np.testing.assert_array_equal(features, front_end(samples))


def test_what_is_kept_is_not_made_again(
    recordings: list[Utterance], front_end: FrontEnd, tmp_path: Path, decoded: list[str]
) -> None:
    for _ in range(2):
        compute_features(recordings, front_end, tmp_path, Copy(louder(), 1))
    assert len(decoded) == 9


@pytest.mark.parametrize("other", [Copy(louder(), 2), Copy(louder(seed=1), 1), Copy(louder(5.0), 1), None])
def test_another_copy_seed_or_setting_is_kept_apart(
    other: Copy | None, recordings: list[Utterance], front_end: FrontEnd, tmp_path: Path, decoded: list[str]
) -> None:
    first = compute_features(recordings, front_end, tmp_path, Copy(louder(), 1))
    for one, another in zip(first, compute_features(recordings, front_end, tmp_path, other), strict=True):
        assert np.any(one != another)
    assert len(decoded) == 18


def test_two_utterances_of_one_recording_are_altered_apart(
    recordings: list[Utterance], front_end: FrontEnd, tmp_path: Path
) -> None:
    twins = [recordings[0], replace(recordings[0], id="twin")]
    one, other = compute_features(twins, front_end, tmp_path, Copy(louder(), 1))
    assert np.any(one != other)


def test_other_noise_under_the_same_name_is_noticed(
    recordings: list[Utterance], front_end: FrontEnd, tmp_path: Path
) -> None:
    path = tmp_path / "noise" / "hum.wav"
    path.parent.mkdir()
    found = []
    for hz in (50, 100):
        soundfile.write(path, np.sin(2 * np.pi * hz * np.arange(RATE) / RATE), RATE)
        noise = AdditiveNoise(find_recordings("noise", [str(path.parent)]), (0, 0))
        copy = Copy(Alteration((Step("noise", noise),), 0), 1)
        found.append(compute_features(recordings[:1], front_end, tmp_path / "cache", copy)[0])
    assert np.any(found[0] != found[1])


def test_noise_that_cannot_be_read_is_an_error(
    recordings: list[Utterance], front_end: FrontEnd, tmp_path: Path
) -> None:
    gone = tuple(replace(u, audio_filepath=str(tmp_path / "gone.wav")) for u in recordings)
    alteration = Alteration((Step("babble", Babble(gone, (0, 0))),), 0)
    with pytest.raises(AudioError, match=r"gone\.wav"):
        with_augmented_copies(examples_of(recordings, front_end), [0] * 9, front_end, alteration, 1)


def test_each_example_has_its_copies_in_order(recordings: list[Utterance], front_end: FrontEnd) -> None:
    for example in with_augmented_copies(examples_of(recordings, front_end), [0] * 9, front_end, louder(), 2):
        for number, features in enumerate(example.altered, start=1):
            made = compute_features([example.utterance], front_end, None, Copy(louder(), number))
            np.testing.assert_array_equal(features, made[0])
        assert len(example.altered) == 2


def quarter(samples: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    return samples[: len(samples) // 4]


def test_a_copy_with_too_few_frames_is_never_shown(recordings: list[Utterance], front_end: FrontEnd) -> None:
    """51 frames as recorded, 13 as altered: one more than that is too many."""
    alteration = Alteration((Step("quarter", quarter),), 0)
    examples = examples_of(recordings[:2], front_end)
    fitting, too_short = with_augmented_copies(examples, [13, 14], front_end, alteration, 3)
    assert [len(f) for f in fitting.altered] == [13, 13, 13]
    assert too_short.altered == ()


# Shown


def made(copies: int, transforms=(), seed: int = 0, count: int = 40) -> TrainingSet:
    """Features have the value and the length of their copy: 20 frames as recorded, then 21, 22 …"""

    def features_of(number: int) -> np.ndarray:
        return np.full((20 + number, 2), number, np.float32)

    examples = [
        Example(
            Utterance(f"u{i}", "x.wav", 0.2, "", "s"),
            features_of(0),
            [i],
            altered=[*map(features_of, range(1, copies + 1))],
        )
        for i in range(count)
    ]
    return TrainingSet(examples, 200, seed, transforms, [1] * count)


def shown(training_set: TrainingSet, epoch: int) -> dict[int, int]:
    """Return the copy of each example that the epoch shows, found in its batches."""
    found = {}
    for batch in training_set.batches(epoch):
        for features, length, label in zip(batch.features, batch.feature_lengths, batch.labels, strict=True):
            assert length == 20 + features[0, 0]
            found[int(label[0])] = int(features[0, 0])
    return found


def test_each_copy_is_shown_equally_often() -> None:
    counts = Counter(itertools.chain.from_iterable(shown(made(3), epoch).values() for epoch in range(30)))
    assert set(counts) == {0, 1, 2, 3}
    assert all(count == pytest.approx(300, abs=60) for count in counts.values())


def test_the_copy_shown_depends_on_seed_epoch_and_utterance() -> None:
    assert shown(made(3), 2) == shown(made(3), 2)
    assert shown(made(3), 2) != shown(made(3), 3)
    assert shown(made(3), 2) != shown(made(3, seed=1), 2)


def test_without_copies_an_epoch_is_as_it_was() -> None:
    """The draws of the transforms do not depend on those of the copies."""

    def noise(features: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return rng.normal(size=features.shape).astype(np.float32)

    drawn = made(0, [noise])
    with_same_copies = [replace(e, altered=[e.raw]) for e in drawn.examples]
    for one, other in zip(drawn.batches(1), replace(drawn, examples=with_same_copies).batches(1), strict=True):
        np.testing.assert_array_equal(one.features, other.features)


@pytest.mark.parametrize("start", range(4))
def test_an_epoch_entered_at_a_step_is_the_tail_of_the_whole(start: int) -> None:
    whole, tail = list(made(2).batches(2)), list(made(2).batches(2, start))
    assert len(tail) == len(whole) - start
    for one, other in zip(tail, whole[start:], strict=True):
        np.testing.assert_array_equal(one.features, other.features)


def test_workers_parts_are_the_batch() -> None:
    def rows(batches: list[Batch]) -> list[list[float]]:
        return [sorted(f[0, 0] for f, w in zip(b.features, b.weights, strict=True) if w) for b in batches]

    whole = rows(list(made(2).batches(1)))
    halves = [rows(list(made(2).batches(1, part=part, parts=2))) for part in (0, 1)]
    assert [sorted(one + other) for one, other in zip(*halves, strict=True)] == whole


def test_batches_are_packed_by_the_frames_that_are_shown() -> None:
    for transforms in ([], [TimeStretch(0.3)]):
        for batch in made(9, transforms).batches(0):
            assert batch.features.shape[0] * batch.features.shape[1] <= 200


# From options to a trainer


@pytest.fixture
def trainers(monkeypatch: pytest.MonkeyPatch) -> list[Trainer]:
    """Runs end where the loop would begin."""
    made: list[Trainer] = []
    monkeypatch.setattr(Trainer, "fit", lambda self: made.append(self) or "epochs")
    return made


def test_a_run_has_its_copies(tones: SimpleNamespace, corpus: Path, tmp_path: Path, trainers: list[Trainer]) -> None:
    """Babble is of the training utterances where no voices are named, and never of the dev set."""
    augment = {"copies": 2, "speed": 0.1, "babble_share": 1.0, "snr_db": [0, 20]}
    run_configured(tmp_path / "run", tones.tree(corpus, tmp_path / "run", augment=augment), [])
    training_set = trainers[0].training_set
    for example, needed in zip(training_set.examples, training_set.frames_needed, strict=True):
        assert len(example.altered) == 2
        assert all(len(features) >= needed for features in example.altered)
        assert all(f.shape != example.raw.shape or np.any(f != example.raw) for f in example.altered)
    assert all(not e.altered for e in trainers[0].dev)


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        ({"copies": 1}, "augment.copies=1 would be as recorded"),
        ({"copies": 1, "noise_share": 1, "snr_db": [0, 9], "noise": ["/nowhere"]}, "/nowhere is not there"),
    ],
)
def test_a_mistake_is_refused(
    augment: dict, message: str, tones: SimpleNamespace, corpus: Path, tmp_path: Path, trainers: list[Trainer]
) -> None:
    with pytest.raises(ConfigError, match=message):
        run_configured(tmp_path / "run", tones.tree(corpus, tmp_path / "run", augment=augment), [])
    assert trainers == []
