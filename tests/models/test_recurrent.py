"""The engines against each other, TensorFlow's autodiff, Keras' own layers, and differences in float64."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from asr.errors import ConfigError
from asr.models import CELLS, Recurrent
from asr.models.engines import cpu, engine, loop

B, T, F, H = 3, 7, 4, 5
LENGTHS = np.array([7, 1, 4], np.int32)
KERAS = {"rnn": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


def made(cell: str, *, bidirectional: bool = True, seed: int = 0) -> tuple[Recurrent, tf.Tensor]:
    """A layer with random weights and biases, and inputs (B, T, F)."""
    rng = np.random.default_rng(seed)
    layer = Recurrent(H, cell=cell, bidirectional=bidirectional)
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
        loss = tf.reduce_sum(tf.cast(outputs, tf.float32) * weighting.astype(np.float32))
    return outputs, tape.gradient(loss, [inputs, *(w.value for w in layer.trainable_weights)])


def use(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("asr.models.recurrent.engine", lambda: name)


def cores(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """As if the machine had ``number`` cores: that many jobs a layer."""
    monkeypatch.setattr(cpu, "cores", lambda: number)


def assert_same(found: tuple[tf.Tensor, list[tf.Tensor]], wanted: tuple[tf.Tensor, list[tf.Tensor]]) -> None:
    np.testing.assert_allclose(found[0], wanted[0], atol=1e-6)
    for got, want in zip(found[1], wanted[1], strict=True):
        np.testing.assert_allclose(got, want, atol=1e-5)


def test_a_cpu_runs_backpropagation_through_time() -> None:
    assert engine() == "cpu"


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("number", [1, 2, 8])
def test_kernels_equal_tensorflows_loop_and_its_gradient(
    cell: str, bidirectional: bool, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On any number of cores, also on more than there are utterances."""
    cores(monkeypatch, number)
    layer, inputs = made(cell, bidirectional=bidirectional)
    found = gradients(layer, inputs)
    use(monkeypatch, "loop")
    assert_same(found, gradients(layer, inputs))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [True, False])
def test_cudnns_vector_holds_the_same_layer(cell: str, bidirectional: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """cuDNN itself is not here; its equations are, read from NVIDIA's reference, on the vector it would get."""
    layer, inputs = made(cell, bidirectional=bidirectional)
    wanted = layer(inputs, LENGTHS)
    monkeypatch.setattr(tf.raw_ops, "CudnnRNNV3", cudnn_by_its_equations)
    use(monkeypatch, "cudnn")
    np.testing.assert_allclose(layer(inputs, LENGTHS), wanted, atol=1e-6)


def cudnn_by_its_equations(
    *, input: tf.Tensor, input_h: tf.Tensor, input_c: tf.Tensor, params: tf.Tensor, sequence_lengths, rnn_mode: str
) -> tuple[tf.Tensor]:
    """One layer as cudnnRNNMode_t defines it: W_0 …, R_0 …, bW_0 …, bR_0 … in its order of the gates."""
    frames, weights = input.numpy().astype(np.float64), params.numpy()
    steps, batch, features = frames.shape
    gates = {"rnn_tanh": 1, "lstm": 4, "gru": 3}[rnn_mode]
    sizes = [H * features] * gates + [H * H] * gates + [H] * 2 * gates
    assert sum(sizes) == len(weights)
    parts = np.split(weights, np.cumsum(sizes)[:-1])
    w = [p.reshape(H, features) for p in parts[:gates]]
    r = [p.reshape(H, H) for p in parts[gates : 2 * gates]]
    bw, br = parts[2 * gates : 3 * gates], parts[3 * gates :]
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    out = np.zeros((steps, batch, H))
    for b in range(batch):
        h, c = input_h.numpy()[0, b].astype(np.float64), input_c.numpy()[0, b].astype(np.float64)
        for t in range(int(sequence_lengths[b])):
            x = [w[g] @ frames[t, b] + bw[g] for g in range(gates)]
            y = [r[g] @ h + br[g] for g in range(gates)]
            if rnn_mode == "rnn_tanh":
                h = np.tanh(x[0] + y[0])
            elif rnn_mode == "lstm":
                i, f, o = (sigmoid(x[g] + y[g]) for g in (0, 1, 3))
                c = f * c + i * np.tanh(x[2] + y[2])
                h = o * np.tanh(c)
            else:
                reset, update = sigmoid(x[0] + y[0]), sigmoid(x[1] + y[1])
                h = (1 - update) * np.tanh(x[2] + reset * y[2]) + update * h
            out[t, b] = h
    return (tf.constant(out, tf.float32),)


def test_cudnn_says_that_xla_rules_it_out(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, inputs = made("lstm")
    use(monkeypatch, "cudnn")
    monkeypatch.setattr(tf.config.optimizer, "get_jit", lambda: "autoclustering")
    with pytest.raises(ConfigError, match="cuDNN, which XLA cannot compile"):
        layer(inputs, LENGTHS)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_rounds_the_products_over_frames_only(cell: str, policy: str) -> None:
    """Outputs and gradients stay within the rounding of the type; what is learnt stays float32."""
    layer, inputs = made(cell)
    wanted = gradients(layer, inputs)
    mixed = Recurrent(H, cell=cell, dtype=policy)
    mixed.build((None, None, F))
    mixed.set_weights(layer.get_weights())
    found = gradients(mixed, inputs)
    assert found[0].dtype == policy.removeprefix("mixed_")
    assert all(w.dtype == "float32" for w in mixed.weights)
    for got, want in zip([found[0], *found[1]], [wanted[0], *wanted[1]], strict=True):
        scale = np.abs(want).max()
        np.testing.assert_allclose(tf.cast(got, tf.float32), want, atol=0.05 * scale)


@pytest.mark.parametrize("cell", KERAS)
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
        x, *weights = (tf.constant(a) for a in arrays)
        return float(tf.reduce_sum(loop.layer(layer.spec, x, LENGTHS, *weights) * weighting))

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
