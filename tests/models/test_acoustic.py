"""An utterance's log-probabilities are its own, whatever it is batched with."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from asr.errors import ConfigError
from asr.models import CELLS, AcousticModel
from asr.models.acoustic import LayerNorm

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


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_layer_normalisation_is_keras_own_with_the_same_gradient(dtype: str) -> None:
    """In bfloat16 Keras takes the output's gradient through other roundings, of 1 in 256."""
    rng = np.random.default_rng(0)
    inputs, weights = (tf.constant(rng.normal(1, 2, (2, 7, 16)), tf.float32) for _ in range(2))
    found = []
    for layer in (LayerNorm(epsilon=1e-5, dtype=dtype), keras.layers.LayerNormalization(epsilon=1e-5, dtype=dtype)):
        layer.build((None, None, 16))
        layer.set_weights([np.linspace(0.5, 2, 16), np.linspace(-1, 1, 16)])
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = tf.cast(layer(inputs), tf.float32)
            loss = tf.reduce_sum(outputs * weights)
        found.append([outputs, *tape.gradient(loss, [inputs, *layer.trainable_variables])])
    for ours, keras_own in zip(*found, strict=True):
        np.testing.assert_allclose(ours, keras_own, atol=1e-5 if dtype == "float32" else 0.1)


def test_dropout_is_for_training_only() -> None:
    model = made(dropout=0.5)
    features = np.random.default_rng(0).normal(size=(1, 10, F)).astype(np.float32)
    np.testing.assert_array_equal(model(features, lengths=[10]), model(features, lengths=[10]))
    assert np.any(model(features, lengths=[10], training=True) != model(features, lengths=[10], training=True))


@pytest.mark.parametrize("phones", [0, 3])
def test_a_model_is_made_again_from_its_options(phones: int) -> None:
    model = made("gru", phones=phones)
    again = AcousticModel.from_config(model.get_config())
    again.set_weights(model.get_weights())
    features = np.ones((1, 10, F), np.float32)
    np.testing.assert_array_equal(again(features, lengths=[10]), model(features, lengths=[10]))


def test_phones_are_heard_beside_characters_by_weights_that_stand_last() -> None:
    model, alone = made(phones=3), made()
    features = np.random.default_rng(0).normal(size=(2, 10, F)).astype(np.float32)
    alone.set_weights(model.get_weights()[: len(alone.weights)])
    logits = model(features, lengths=[10, 4]).numpy()
    assert (logits.shape, model.phone_layer.kernel.shape) == ((2, 3, V + 3), (8, 3))
    np.testing.assert_array_equal(logits[:, :, :V], alone(features, lengths=[10, 4]))
    assert "phones" not in alone.options and alone.phone_layer is None


@pytest.mark.parametrize("phones", [0, 3])
def test_log_probabilities_of_characters_and_of_phones_each_sum_to_one(phones: int) -> None:
    model = made(phones=phones)
    features = np.random.default_rng(0).normal(0, 3, (1, 10, F)).astype(np.float32)
    logits, found = model(features, lengths=[10]).numpy(), model.log_probs(features, np.array([10], np.int32)).numpy()
    assert found.shape == logits.shape
    for columns in [slice(0, V), slice(V, None)][: 1 + bool(phones)]:
        np.testing.assert_allclose(np.exp(found[:, :, columns]).sum(axis=2), 1, atol=1e-5)
        spread = found[:, :, columns] - logits[:, :, columns]
        np.testing.assert_allclose(spread, spread[:, :, :1].repeat(spread.shape[2], axis=2), atol=1e-5)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"cell": "lstmm"}, "rnn, lstm, gru"), ({"cell": "rnn", "units": []}, "at least one recurrent layer")],
)
def test_impossible_options_are_refused(options: dict, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        AcousticModel(F, V, **({"units": [3]} | options))
