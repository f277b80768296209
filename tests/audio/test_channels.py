"""Channels become one, and what only one of them says is kept."""

from __future__ import annotations

import io
import runpy
import warnings
from pathlib import Path

import numpy as np
import pytest

from asr.audio import load_audio, stream_audio
from asr.audio.channels import Mixer
from asr.errors import AudioWarning

made = runpy.run_path(str(Path(__file__).with_name("made.py")))
encoded, syllables = (made[name] for name in "encoded syllables".split())


def stereo(left: np.ndarray, right: np.ndarray) -> bytes:
    return encoded(np.stack([left, right], axis=1), "WAV FLOAT")


@pytest.mark.parametrize("gain", [-1.0, -0.9, -0.7])
def test_an_inverted_channel_takes_nothing_from_the_other(gain: float) -> None:
    said = syllables(3)
    with pytest.warns(AudioWarning, match=r"its channels cancel each other for 3\.00 s; the first one alone was read"):
        samples = load_audio(io.BytesIO(stereo(said, gain * said)))
    np.testing.assert_array_equal(samples, said)


def test_only_where_they_cancel() -> None:
    said = syllables(4)
    right = np.concatenate([said[:32_000], -said[32_000:]])
    with pytest.warns(AudioWarning, match=r"for 2\.00 s"):
        samples = load_audio(io.BytesIO(stereo(said, right)))
    np.testing.assert_allclose(samples, said, atol=1e-7)


@pytest.mark.parametrize("right", [syllables(2, 1), np.zeros(32_000, np.float32), -0.4 * syllables(2), syllables(2)])
def test_other_channels_are_averaged(right: np.ndarray) -> None:
    left = syllables(2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        samples = load_audio(io.BytesIO(stereo(left, right)))
    np.testing.assert_allclose(samples, (left + right) / 2, atol=1e-7)


def test_blocks_make_no_difference() -> None:
    said = syllables(2)
    right = np.concatenate([said[:9_000], -said[9_000:]])
    with pytest.warns(AudioWarning):
        whole = load_audio(io.BytesIO(stereo(said, right)))
    for block_s in (0.03, 0.33):
        with pytest.warns(AudioWarning):
            blocks = list(stream_audio(io.BytesIO(stereo(said, right)), block_s=block_s))
        np.testing.assert_array_equal(np.concatenate(blocks), whole)


def test_the_last_samples_come_too() -> None:
    mixer = Mixer(16_000, 2)
    block = np.repeat(syllables(0.25)[:, None], 2, axis=1)
    assert [len(one) for one in mixer.over([block[:10], block[10:2_000], block[2_000:]])] == [1_600, 1_600, 800]
