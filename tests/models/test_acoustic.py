"""An utterance's log-probabilities are its own, whatever it is batched with."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from asr.errors import ConfigError
from asr.models import CELLS, AcousticModel

F, V = 12, 5
CONVOLUTION = [{"filters": 3, "kernel": [5, 3], "stride": [2, 2]}, {"filters": 4, "kernel": [3, 3], "stride": [2, 1]}]


def made(cell: str = "lstm", **options: object) -> AcousticModel:
    keras.utils.set_random_seed(0)
    return AcousticModel(F, V, cell=cell, units=[6, 4], **({"convolution": CONVOLUTION} | options))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("convolution", [(), CONVOLUTION], ids=["plain", "convolution"])
def test_alone_and_in_a_batch_are_the_same(cell: str, bidirectional: bool, convolution: list) -> None:
    model = made(cell, bidirectional=bidirectional, convolution=convolution)
    rng = np.random.default_rng(0)
    lengths = [23, 1, 8, 16]
    features = rng.normal(0, 3, (4, 23, F)).astype(np.float32)
    together = tf.nn.log_softmax(model(features, lengths=lengths))
    for row, length in enumerate(lengths):
        alone = tf.nn.log_softmax(model(features[row : row + 1, :length], lengths=[length]))[0]
        assert len(alone) == model.output_lengths(length)
        np.testing.assert_allclose(together[row, : len(alone)], alone, atol=1e-5)


def test_convolution_shortens_time() -> None:
    model = made()
    assert model.time_reduction == 4
    assert [model.output_lengths(n) for n in (1, 4, 5, 8, 9)] == [1, 1, 2, 2, 3]
    assert model(np.zeros((1, 9, F), np.float32), lengths=[9]).shape == (1, 3, V)


def test_one_direction_does_not_see_the_future() -> None:
    model = made(bidirectional=False, convolution=())
    features = np.random.default_rng(0).normal(size=(1, 10, F)).astype(np.float32)
    changed = features.copy()
    changed[:, 6:] = 0
    np.testing.assert_array_equal(model(features, lengths=[10])[0, :6], model(changed, lengths=[10])[0, :6])


def test_dropout_is_for_training_only() -> None:
    model = made(dropout=0.5)
    features = np.random.default_rng(0).normal(size=(1, 10, F)).astype(np.float32)
    np.testing.assert_array_equal(model(features, lengths=[10]), model(features, lengths=[10]))
    assert np.any(model(features, lengths=[10], training=True) != model(features, lengths=[10], training=True))


def test_a_model_is_made_again_from_its_options() -> None:
    model = made("gru")
    again = AcousticModel.from_config(model.get_config())
    again.set_weights(model.get_weights())
    features = np.ones((1, 10, F), np.float32)
    np.testing.assert_array_equal(again(features, lengths=[10]), model(features, lengths=[10]))


@pytest.mark.parametrize(
    ("options", "words"),
    [({"cell": "lstmm"}, "rnn, lstm, gru"), ({"cell": "rnn", "units": []}, "at least one recurrent layer")],
)
def test_impossible_options_are_refused(options: dict, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        AcousticModel(F, V, **({"units": [3]} | options))
