"""Normalised features have zero mean and unit variance, over the corpus, over the utterance, or in between."""

from __future__ import annotations

import numpy as np
import pytest

from asr.errors import TrainingError
from asr.features import Cmvn, Normaliser, SmoothedCmvn, UtteranceCmvn, cmvn_from_arrays

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


def test_smoothed_normalisation_is_as_if_frames_of_the_corpus_stood_before() -> None:
    whole, features = Cmvn.fit(CORPUS), CORPUS[2]
    longer = np.concatenate([np.tile(whole.mean, (25, 1)), features])
    wanted = (features - longer.mean(0)) / whole.std
    np.testing.assert_allclose(SmoothedCmvn(whole, 25)(features), wanted, atol=1e-5)


@pytest.mark.parametrize(("prior_frames", "like"), [(0, UtteranceCmvn()), (1e9, Cmvn.fit(CORPUS))])
def test_smoothed_means_lie_between_the_utterances_own_and_the_corpuss(prior_frames: float, like: Normaliser) -> None:
    smoothed = SmoothedCmvn(Cmvn.fit(CORPUS), prior_frames)(CORPUS[2])
    scale = CORPUS[2].std(0) / Cmvn.fit(CORPUS).std if prior_frames == 0 else 1
    np.testing.assert_allclose(smoothed, like(CORPUS[2]) * scale, atol=1e-4)


@pytest.mark.parametrize("cmvn", [Cmvn.fit(CORPUS), UtteranceCmvn(), SmoothedCmvn(Cmvn.fit(CORPUS), 40)])
def test_storage_keeps_the_kind(cmvn: Normaliser) -> None:
    again = cmvn_from_arrays(cmvn.to_arrays(), CORPUS[0].shape[1])
    assert type(again) is type(cmvn)
    np.testing.assert_array_equal(again(CORPUS[0]), cmvn(CORPUS[0]))


def test_no_frames_cannot_be_fitted() -> None:
    with pytest.raises(TrainingError, match="got none"):
        Cmvn.fit([])
