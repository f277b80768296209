"""The compiled kernels against TensorFlow's autodiff, Keras' own layers, and differences in float64."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from asr.models import loop
from asr.models.recurrent import CELLS, Recurrent

B, T, F, H = 3, 7, 4, 5
LENGTHS = np.array([7, 1, 4], np.int32)
KERAS = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


def made(cell: str, *, bidirectional: bool = True, seed: int = 0) -> tuple[Recurrent, tf.Tensor]:
    """A layer with random weights and biases, and inputs (B, T, F)."""
    rng = np.random.default_rng(seed)
    layer = CELLS[cell](H, bidirectional=bidirectional)
    layer.build((None, None, F))
    for weight in layer.weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    return layer, tf.constant(rng.normal(size=(B, T, F)), tf.float32)


def gradients(layer: Recurrent, inputs: tf.Tensor) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Outputs, and the gradient of a fixed weighting of them by inputs and weights."""
    weighting = np.random.default_rng(9).normal(size=(B, T, layer.directions * H))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, LENGTHS)
        loss = tf.reduce_sum(outputs * weighting.astype(np.float32))
    return outputs, tape.gradient(loss, [inputs, *(w.value for w in layer.trainable_weights)])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [True, False])
def test_kernels_equal_tensorflows_loop_and_its_gradient(cell: str, bidirectional: bool, monkeypatch) -> None:
    layer, inputs = made(cell, bidirectional=bidirectional)
    outputs, found = gradients(layer, inputs)
    monkeypatch.setattr("asr.models.recurrent._on_cpu", loop.run)
    wanted_outputs, wanted = gradients(layer, inputs)
    np.testing.assert_allclose(outputs, wanted_outputs, atol=1e-6)
    for got, want in zip(found, wanted, strict=True):
        np.testing.assert_allclose(got, want, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_outputs_equal_keras_own_layer(cell: str) -> None:
    layer, inputs = made(cell)
    own = []
    for direction, backwards in enumerate([False, True]):
        theirs = KERAS[cell](H, return_sequences=True)
        theirs.build((None, None, F))
        bias = layer.bias[direction]
        if cell == "gru":
            bias = tf.stack([bias, layer.recurrent_bias[direction]])
        theirs.set_weights([layer.kernel[direction], layer.recurrent_kernel[direction], bias])
        rows = []
        for row, length in zip(inputs, LENGTHS, strict=True):
            alone = row[None, :length]
            output = theirs(alone[:, ::-1] if backwards else alone)[0]
            rows.append(np.pad(output[::-1] if backwards else output, ((0, T - length), (0, 0))))
        own.append(np.stack(rows))
    np.testing.assert_allclose(layer(inputs, LENGTHS), np.concatenate(own, -1), atol=1e-6)


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_equal_float64_differences(cell: str) -> None:
    layer, inputs = made(cell)
    _, found = gradients(layer, inputs)
    weighting = np.random.default_rng(9).normal(size=(B, T, 2 * H))
    arrays = [inputs.numpy().astype(np.float64), *(w.numpy().astype(np.float64) for w in layer.trainable_weights)]

    def loss() -> float:
        x, kernel, recurrent, bias, *rest = (tf.constant(a) for a in arrays)
        frames = tf.transpose(x, (1, 0, 2))
        both = tf.stack([frames, tf.reverse_sequence(frames, LENGTHS, 0, 1)])
        projected = tf.einsum("dtbf,dfg->dtbg", both, kernel) + bias[:, None, None]
        hidden = loop.run(type(layer).__name__, projected, recurrent, *rest)
        joined = tf.concat([hidden[0], tf.reverse_sequence(hidden[1], LENGTHS, 0, 1)], -1)
        mask = tf.sequence_mask(LENGTHS, T, tf.float64)[:, :, None]
        return float(tf.reduce_sum(tf.transpose(joined, (1, 0, 2)) * mask * weighting))

    rng = np.random.default_rng(1)
    for array, gradient in zip(arrays, found, strict=True):
        for _ in range(6):
            place = tuple(rng.integers(n) for n in array.shape)
            kept = array[place]
            sides = []
            for shift in (1e-5, -1e-5):
                array[place] = kept + shift
                sides.append(loss())
            array[place] = kept
            assert float(gradient[place]) == pytest.approx((sides[0] - sides[1]) / 2e-5, abs=1e-4)


@pytest.mark.parametrize("cell", CELLS)
def test_padding_changes_nothing(cell: str) -> None:
    layer, inputs = made(cell)
    batch = layer(inputs, LENGTHS)
    dirty = tf.where(tf.sequence_mask(LENGTHS, T)[:, :, None], inputs, 1e3)
    np.testing.assert_array_equal(batch, layer(dirty, LENGTHS))
    for row, (alone, length) in enumerate(zip(inputs, LENGTHS, strict=True)):
        np.testing.assert_allclose(layer(alone[None, :length], [length])[0], batch[row, :length], atol=1e-6)
        assert not np.any(batch[row, length:])


def test_the_plain_cell_is_the_equation() -> None:
    layer, inputs = made("rnn", bidirectional=False)
    w_xh, w_hh, b = (w.numpy()[0] for w in layer.weights)
    h = np.zeros(H)
    for t, x in enumerate(inputs[0].numpy()):
        h = np.tanh(w_hh.T @ h + w_xh.T @ x + b)
        np.testing.assert_allclose(layer(inputs, LENGTHS)[0, t], h, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_a_layer_survives_serialisation(cell: str) -> None:
    layer, inputs = made(cell, bidirectional=False)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(inputs, LENGTHS), layer(inputs, LENGTHS))
