"""Normalised features have zero mean and unit variance, over the corpus or over the utterance."""

from __future__ import annotations

import numpy as np
import pytest

from asr.errors import TrainingError
from asr.features import Cmvn, UtteranceCmvn, cmvn_from_arrays

RNG = np.random.default_rng(0)
CORPUS = [RNG.normal(5, 3, (n, 4)).astype(np.float32) for n in (10, 200, 31)]


def test_global_normalisation_is_over_all_frames() -> None:
    cmvn = Cmvn.fit(CORPUS)
    frames = np.concatenate([cmvn(f) for f in CORPUS])
    np.testing.assert_allclose(frames.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(frames.std(0), 1, atol=1e-5)


def test_utterance_normalisation_is_over_each() -> None:
    for features in CORPUS:
        np.testing.assert_allclose(UtteranceCmvn()(features).mean(0), 0, atol=1e-5)
        np.testing.assert_allclose(UtteranceCmvn()(features).std(0), 1, atol=1e-4)


def test_a_constant_band_becomes_zero() -> None:
    assert not UtteranceCmvn()(np.full((5, 2), 7, np.float32)).any()
    assert not Cmvn.fit([np.full((5, 2), 7, np.float32)])(np.full((1, 2), 7, np.float32)).any()


@pytest.mark.parametrize("cmvn", [Cmvn.fit(CORPUS), UtteranceCmvn()])
def test_storage_keeps_the_kind(cmvn: Cmvn | UtteranceCmvn) -> None:
    again = cmvn_from_arrays(cmvn.to_arrays())
    assert type(again) is type(cmvn)
    np.testing.assert_array_equal(again(CORPUS[0]), cmvn(CORPUS[0]))


def test_no_frames_cannot_be_fitted() -> None:
    with pytest.raises(TrainingError, match="got none"):
        Cmvn.fit([])
