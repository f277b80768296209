"""The frozen front end equals librosa's own features, on made and on real speech."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from asr.audio import load_audio
from asr.errors import AudioTooShortError, ConfigError
from asr.features import FrontEnd, LogMel, Mfcc, PowerSpectrogram

OPTIONS = [
    PowerSpectrogram(),
    LogMel(),
    Mfcc(),
    Mfcc(delta_order=0),
    LogMel(top_db=40.0),
    Mfcc(top_db=40.0),
    LogMel(sample_rate=8000, n_fft=256, win_length=200, hop_length=80),
]


def by_librosa(options: PowerSpectrogram, samples: np.ndarray) -> np.ndarray:
    """What librosa's public functions give for these options, (T, F)."""
    power = (
        np.abs(librosa.stft(samples, n_fft=options.n_fft, hop_length=options.hop_length, win_length=options.win_length))
        ** 2
    )
    if isinstance(options, LogMel):
        power = librosa.feature.melspectrogram(
            S=power, sr=options.sample_rate, n_mels=options.n_mels, fmin=options.fmin_hz, fmax=options.fmax_hz
        )
    ref = np.max if options.top_db else 1.0
    decibels = librosa.power_to_db(power, ref=ref, top_db=options.top_db)
    if not isinstance(options, Mfcc):
        return decibels.T
    cepstra = librosa.feature.mfcc(S=decibels, n_mfcc=options.n_mfcc)
    orders = [
        librosa.feature.delta(cepstra, width=options.delta_width, order=1, mode="nearest")
        for _ in range(min(options.delta_order, 1))
    ]
    if options.delta_order == 2:
        orders.append(librosa.feature.delta(orders[0], width=options.delta_width, order=1, mode="nearest"))
    return np.concatenate([cepstra, *orders]).T


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: type(o).__name__)
@pytest.mark.parametrize("num_samples", [800, 1600, 16001])
def test_equals_librosa_on_noise(options: PowerSpectrogram, num_samples: int) -> None:
    samples = np.random.default_rng(0).standard_normal(num_samples).astype(np.float32)
    wanted = by_librosa(options, samples)
    got = options.front_end()(samples)
    assert got.dtype == np.float32
    assert got.shape == wanted.shape == (1 + num_samples // options.hop_length, options.front_end().num_features)
    np.testing.assert_allclose(got, wanted, atol=1e-4 * np.abs(wanted).max())


@pytest.mark.real_data
@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: type(o).__name__)
def test_equals_librosa_on_real_speech(options: PowerSpectrogram, real_data) -> None:
    path = sorted((real_data / "an4" / "wav").rglob("*.flac"))[0]
    samples = load_audio(path, options.sample_rate)
    wanted = by_librosa(options, samples)
    np.testing.assert_allclose(options.front_end()(samples), wanted, atol=1e-4 * np.abs(wanted).max())


def test_a_frozen_front_end_survives_storage() -> None:
    front_end = Mfcc().front_end()
    samples = np.random.default_rng(0).standard_normal(4000).astype(np.float32)
    again = FrontEnd.from_arrays(front_end.to_arrays())
    np.testing.assert_array_equal(again(samples), front_end(samples))
    assert (again.sample_rate, again.hop_length, again.num_features) == (16000, 160, 39)


def test_a_margin_repeats_the_end_frames() -> None:
    samples = np.random.default_rng(0).standard_normal(1600).astype(np.float32)
    plain, front_end = LogMel().front_end()(samples), LogMel(margin=3).front_end()
    wide = front_end(samples)
    assert len(wide) == front_end.num_frames(1600) == len(plain) + 6
    np.testing.assert_array_equal(wide[3:-3], plain)
    np.testing.assert_array_equal(wide[:3], plain[[0, 0, 0]])
    np.testing.assert_array_equal(wide[-3:], plain[[-1, -1, -1]])


def test_blocks_do_not_show() -> None:
    samples = np.random.default_rng(0).standard_normal(16000 * 12).astype(np.float32)
    front_end = LogMel().front_end()
    whole = front_end(samples)
    np.testing.assert_allclose(front_end(samples[16000 * 6 :])[10:], whole[610:], atol=1e-4)


def test_no_samples_are_refused() -> None:
    with pytest.raises(AudioTooShortError):
        LogMel().front_end()(np.zeros(0, np.float32))


def test_a_window_longer_than_the_transform_is_refused() -> None:
    with pytest.raises(ConfigError, match="win_length <= n_fft"):
        PowerSpectrogram(n_fft=256)
