"""Transforms keep what they promise: shapes, the mean, and the same draws for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from asr.data.augment.equaliser import Equaliser
from asr.data.augment.frequency_warp import FrequencyWarp
from asr.data.augment.gaussian_noise import GaussianNoise
from asr.data.augment.spec_augment import SpecAugment
from asr.data.augment.time_stretch import TimeStretch

FEATURES = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
CENTRES = np.linspace(100, 3800, 8)
TRANSFORMS = [
    FrequencyWarp(CENTRES, 0.2),
    Equaliser(0.5),
    GaussianNoise(0.5),
    TimeStretch(0.2),
    SpecAugment(2, 3, 2, 0.2),
]


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda t: type(t).__name__)
def test_a_seed_repeats_a_draw_and_the_input_stays(transform) -> None:
    before = FEATURES.copy()
    once, again, other = (transform(FEATURES, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(once, again)
    assert once.shape != other.shape or np.any(once != other)
    assert once.dtype == np.float32
    np.testing.assert_array_equal(FEATURES, before)


@pytest.mark.parametrize(
    "transform",
    [FrequencyWarp(CENTRES, 0.0), Equaliser(0.0), GaussianNoise(0.0), TimeStretch(0.0), SpecAugment(2, 0, 2, 0.0)],
)
def test_no_amount_changes_nothing(transform) -> None:
    np.testing.assert_allclose(transform(FEATURES, np.random.default_rng(0)), FEATURES, atol=1e-6)


def test_a_warp_moves_a_peak_to_the_frequency_it_says() -> None:
    """A peak at 2000 Hz, read at 2000 / factor."""
    centres = np.linspace(0, 4000, 81)
    peak = np.exp(-(((centres - 2000) / 200) ** 2))[None].astype(np.float32)
    factor = np.random.default_rng(3).uniform(0.8, 1.2)
    warped = FrequencyWarp(centres, 0.2)(peak, np.random.default_rng(3))
    assert centres[warped.argmax()] == pytest.approx(2000 / factor, abs=50)


def test_a_stretch_changes_length_by_its_speed_and_keeps_the_ends() -> None:
    speed = np.random.default_rng(5).uniform(0.8, 1.2)
    stretched = TimeStretch(0.2)(FEATURES, np.random.default_rng(5))
    assert len(stretched) == round(50 / speed)
    np.testing.assert_allclose(stretched[[0, -1]], FEATURES[[0, -1]], atol=1e-6)


def test_one_frame_can_be_stretched() -> None:
    assert TimeStretch(0.2)(FEATURES[:1], np.random.default_rng(0)).shape == (1, 8)


def test_masks_are_no_larger_than_said() -> None:
    for seed in range(50):
        masked = SpecAugment(1, 3, 1, 0.2)(np.ones((50, 8), np.float32), np.random.default_rng(seed))
        assert np.count_nonzero(~masked.any(0)) <= 3
        assert np.count_nonzero(~masked.any(1)) <= 10


def test_noise_has_the_deviation_it_says() -> None:
    noisy = GaussianNoise(0.6)(np.zeros((500, 40), np.float32), np.random.default_rng(0))
    assert noisy.std() == pytest.approx(0.6, rel=0.02)
    assert noisy.mean() == pytest.approx(0, abs=0.02)


def test_an_equaliser_adds_one_smooth_gain_to_all_frames() -> None:
    features = np.random.default_rng(0).normal(size=(7, 41)).astype(np.float32)
    added = Equaliser(0.5)(features, np.random.default_rng(1)) - features
    np.testing.assert_allclose(added, np.tile(added[0], (7, 1)), atol=1e-6)
    bends = np.abs(np.diff(added[0], 2)) > 1e-4
    assert np.flatnonzero(bends).tolist() == [9, 19, 29]  # straight between five knots
    gains = [Equaliser(0.5)(features, np.random.default_rng(s))[0, 0] - features[0, 0] for s in range(400)]
    assert np.std(gains) == pytest.approx(0.5, rel=0.1)
