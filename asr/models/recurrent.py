"""Recurrent layers that train near the speed of the CPU: plain RNN, LSTM and GRU, one or two directions.

Backpropagation through time, as the code does it. Write z_t = W_xh x_t + b + W_hh h_{t-1} for the gates' arguments.

1. W_xh x_t + b does not depend on h: one product over all frames, in TensorFlow.
2. Forward in time, the kernel adds W_hh h_{t-1}, squashes, and keeps what step 3 needs (gates, cell).
3. Backward in time, the kernel computes δ_t = ∂L/∂z_t from ∂L/∂h_t, which comes from above (the layer's output) and
   from the right (W_hhᵀ δ_{t+1}). The second term is a product of T Jacobians W_hhᵀ diag(tanh'): where their norm
   is below one it vanishes with distance (Bengio et al. 1994). The LSTM adds a path: c_t = f_t c_{t-1} + i_t g_t
   passes ∂L/∂c back through f_t alone, and with f_t near one it lives (Hochreiter & Schmidhuber 1997).
4. ∂L/∂W_hh = Σ_t h_{t-1} δ_tᵀ is one product over all frames after the loop, and TensorFlow differentiates step 1.

The backward direction reads each utterance reversed within its own length, so padding is always last in both
directions: it cannot reach a real frame forward, and its δ is zero because its output is masked. So the
loop needs no mask.

On a GPU the loop is TensorFlow's own (``loop.py``), differentiated by TensorFlow; the weights are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from asr.models import loop

Kernel = Callable[..., Any]


@keras.saving.register_keras_serializable("asr")
class Recurrent(keras.layers.Layer):
    """One recurrent layer over padded utterances; use ``PlainRnn``, ``Lstm`` or ``Gru``.

    Weights, D = 2 when bidirectional, else 1: ``kernel`` (D, F, G·H) is W_xh, ``recurrent_kernel`` (D, H, G·H) is W_hh,
    ``bias`` (D, G·H); the GRU also has ``recurrent_bias`` (D, G·H). Gates in Keras' order.

    Args:
        units: H, the width of one direction.
        bidirectional: also read each utterance from its end, and concatenate the two outputs.
    """

    gates = 1
    has_recurrent_bias = False

    def __init__(self, units: int, *, bidirectional: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.bidirectional = units, bidirectional

    @property
    def directions(self) -> int:
        """D."""
        return 2 if self.bidirectional else 1

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights: Glorot for W_xh, orthogonal for W_hh, zero bias (one for the LSTM's forget gate)."""
        width = self.gates * self.units
        self.kernel = self._weight("kernel", (input_shape[-1], width), keras.initializers.GlorotUniform)
        self.recurrent_kernel = self._weight("recurrent_kernel", (self.units, width), keras.initializers.Orthogonal)
        self.bias = self.add_weight(name="bias", shape=(self.directions, width), initializer=self._initial_bias)
        if self.has_recurrent_bias:
            self.recurrent_bias = self.add_weight(
                name="recurrent_bias", shape=(self.directions, width), initializer="zeros"
            )
        super().build(input_shape)

    def _weight(self, name: str, shape: tuple[int | None, int], initializer: Kernel) -> Any:
        """One matrix a direction, each drawn on its own."""
        seeds = [keras.random.SeedGenerator() for _ in range(self.directions)]

        def initial(_shape: Any, dtype: Any = None) -> Any:
            return keras.ops.stack([initializer(seed=s)(shape, dtype=dtype) for s in seeds])

        return self.add_weight(name=name, shape=(self.directions, *shape), initializer=initial)

    def _initial_bias(self, shape: Any, dtype: Any = None) -> Any:
        return keras.ops.zeros(shape, dtype=dtype)

    def call(self, inputs: Any, lengths: Any) -> Any:
        """Outputs (B, T, D·H) of ``inputs`` (B, T, F) with ``lengths`` (B,) int32; zero beyond each length."""
        frames = tf.transpose(inputs, (1, 0, 2))
        both = [frames, _reversed(frames, lengths)][: self.directions]
        projected = tf.einsum("dtbf,dfg->dtbg", tf.stack(both), self.kernel) + self.bias[:, None, None]
        hidden = self._run(projected)
        outputs = [hidden[0], *([_reversed(hidden[1], lengths)] if self.bidirectional else [])]
        mask = tf.sequence_mask(lengths, tf.shape(frames)[0], dtype=hidden.dtype)
        return tf.transpose(tf.concat(outputs, -1), (1, 0, 2)) * mask[:, :, None]

    def _run(self, projected: Any) -> Any:
        """Hidden states (D, T, B, H) from W_xh x + b (D, T, B, G·H)."""
        weights = [self.recurrent_kernel, *([self.recurrent_bias] if self.has_recurrent_bias else [])]
        weights = [tf.convert_to_tensor(w) for w in weights]
        if tf.config.list_physical_devices("GPU"):
            return loop.run(type(self).__name__, projected, *weights)
        return _on_cpu(type(self).__name__, projected, *weights)

    def get_config(self) -> dict[str, Any]:
        """As Keras serialises it."""
        return super().get_config() | {"units": self.units, "bidirectional": self.bidirectional}


@keras.saving.register_keras_serializable("asr")
class PlainRnn(Recurrent):
    """h_t = tanh(W_hh h_{t-1} + W_xh x_t + b) (Elman 1990)."""


@keras.saving.register_keras_serializable("asr")
class Lstm(Recurrent):
    """Long short-term memory with a forget gate (Hochreiter & Schmidhuber 1997, Gers et al. 2000)."""

    gates = 4

    def _initial_bias(self, shape: Any, dtype: Any = None) -> Any:
        bias = np.zeros(shape, np.float32)
        bias[:, self.units : 2 * self.units] = 1
        return keras.ops.convert_to_tensor(bias, dtype=dtype)


@keras.saving.register_keras_serializable("asr")
class Gru(Recurrent):
    """Gated recurrent unit (Cho et al. 2014), the reset gate after the product, as cuDNN has it."""

    gates = 3
    has_recurrent_bias = True


CELLS = {"rnn": PlainRnn, "lstm": Lstm, "gru": Gru}


def _reversed(frames: Any, lengths: Any) -> Any:
    """(T, B, F) with each utterance's frames in reverse, its padding where it was."""
    return tf.reverse_sequence(frames, lengths, seq_axis=0, batch_axis=1)


def _on_cpu(cell: str, projected: Any, recurrent: Any, recurrent_bias: Any = None) -> Any:
    """Run the numba kernels as one differentiable operation."""
    if recurrent_bias is None:
        recurrent_bias = tf.zeros((recurrent.shape[0], 0))

    @tf.custom_gradient
    def run(projected: Any, recurrent: Any, bias: Any) -> tuple[Any, Kernel]:
        hidden, *kept = _call(_FORWARD[cell], (projected, recurrent, bias), _KEPT[cell])
        hidden.set_shape((*projected.shape[:3], recurrent.shape[1]))

        def backward(d_hidden: Any) -> tuple[Any, Any, Any]:
            d_projected, d_product = _call(_BACKWARD[cell], (d_hidden, recurrent, hidden, *kept), 2)
            d_projected.set_shape(projected.shape)
            before = tf.pad(hidden[:, :-1], ((0, 0), (1, 0), (0, 0), (0, 0)))
            d_recurrent = tf.einsum("dtbh,dtbg->dhg", before, d_product)
            d_bias = tf.reduce_sum(d_product, (1, 2)) if cell == "Gru" else tf.zeros_like(bias)
            return d_projected, d_recurrent, d_bias

        return hidden, backward

    return run(projected, recurrent, recurrent_bias)


def _call(function: Kernel, arguments: tuple[Any, ...], outputs: int) -> list[Any]:
    return tf.nest.flatten(tf.numpy_function(function, arguments, [tf.float32] * outputs, stateful=False))


@cache
def _threads() -> ThreadPoolExecutor:
    """One thread a direction; BLAS itself then on one, since its own threads would fight for the same cores."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1, user_api="blas")
    return ThreadPoolExecutor(2)


def _each_direction(kernel: Kernel, *arrays: np.ndarray) -> None:
    jobs = [_threads().submit(kernel, *(a[d] for a in arrays)) for d in range(len(arrays[0]))]
    for job in jobs:
        job.result()


def _transposed(recurrent: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(recurrent.transpose(0, 2, 1))


def _rnn_forward(projected: np.ndarray, recurrent: np.ndarray, _bias: np.ndarray) -> list[np.ndarray]:
    hidden = np.empty_like(projected)
    _each_direction(_kernels().rnn_forward, projected, recurrent, hidden)
    return [hidden]


def _rnn_backward(d_hidden: np.ndarray, recurrent: np.ndarray, hidden: np.ndarray) -> list[np.ndarray]:
    d_projected = np.empty_like(hidden)
    _each_direction(_kernels().rnn_backward, d_hidden, _transposed(recurrent), hidden, d_projected)
    return [d_projected, d_projected]


def _lstm_forward(projected: np.ndarray, recurrent: np.ndarray, _bias: np.ndarray) -> list[np.ndarray]:
    gates = np.empty_like(projected)
    hidden = np.empty((*projected.shape[:3], recurrent.shape[1]), np.float32)
    cell = np.empty_like(hidden)
    _each_direction(_kernels().lstm_forward, projected, recurrent, hidden, cell, gates)
    return [hidden, cell, gates]


def _lstm_backward(
    d_hidden: np.ndarray, recurrent: np.ndarray, _hidden: np.ndarray, cell: np.ndarray, gates: np.ndarray
) -> list[np.ndarray]:
    d_projected = np.empty_like(gates)
    _each_direction(_kernels().lstm_backward, d_hidden, _transposed(recurrent), cell, gates, d_projected)
    return [d_projected, d_projected]


def _gru_forward(projected: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> list[np.ndarray]:
    gates = np.empty_like(projected)
    hidden = np.empty((*projected.shape[:3], recurrent.shape[1]), np.float32)
    candidate = np.empty_like(hidden)
    _each_direction(_kernels().gru_forward, projected, recurrent, bias, hidden, gates, candidate)
    return [hidden, gates, candidate]


def _gru_backward(
    d_hidden: np.ndarray, recurrent: np.ndarray, hidden: np.ndarray, gates: np.ndarray, candidate: np.ndarray
) -> list[np.ndarray]:
    d_projected, d_product = np.empty_like(gates), np.empty_like(gates)
    _each_direction(
        _kernels().gru_backward, d_hidden, _transposed(recurrent), hidden, gates, candidate, d_projected, d_product
    )
    return [d_projected, d_product]


def _kernels() -> Any:
    """Imported when first run: numba takes a second, and a GPU never needs it."""
    from asr.models import kernels

    return kernels


_FORWARD: dict[str, Kernel] = {"PlainRnn": _rnn_forward, "Lstm": _lstm_forward, "Gru": _gru_forward}
_BACKWARD: dict[str, Kernel] = {"PlainRnn": _rnn_backward, "Lstm": _lstm_backward, "Gru": _gru_backward}
_KEPT = {"PlainRnn": 1, "Lstm": 3, "Gru": 3}
