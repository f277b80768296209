"""Recurrent layers that train near the speed of the hardware: plain RNN, LSTM and GRU, one or two directions.

The weights are the same whatever engine runs, so a checkpoint moves between machines: on a CPU backpropagation through
time in compiled loops (``bptt.py``, which explains it), on an NVIDIA GPU cuDNN's kernels (``cudnn.py``), on any
other device TensorFlow's own loop (``loop.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from asr.models import bptt, cudnn, loop

ENGINES: dict[str, Callable[..., Any]] = {"bptt": bptt.layer, "cudnn": cudnn.layer, "loop": loop.layer}
"""Each computes a layer's outputs (B, T, D·H) from cell, inputs (B, T, F), lengths (B,) and weights."""


def engine() -> str:
    """Which of ``ENGINES`` runs on this machine."""
    if not tf.config.list_physical_devices("GPU"):
        return "bptt"
    return "cudnn" if tf.sysconfig.get_build_info()["is_cuda_build"] else "loop"


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
        glorot, orthogonal = keras.initializers.GlorotUniform, keras.initializers.Orthogonal
        self.kernel = self._matrix("kernel", (input_shape[-1], width), glorot, autocast=True)
        self.recurrent_kernel = self._matrix("recurrent_kernel", (self.units, width), orthogonal, autocast=False)
        self.bias = self._bias("bias", width, self._initial_bias)
        if self.has_recurrent_bias:
            self.recurrent_bias = self._bias("recurrent_bias", width, "zeros")
        super().build(input_shape)

    def _matrix(
        self, name: str, shape: tuple[int | None, int], initializer: Callable[..., Any], *, autocast: bool
    ) -> Any:
        """One matrix a direction, each drawn on its own; without ``autocast`` float32 under any precision policy."""
        seeds = [keras.random.SeedGenerator() for _ in range(self.directions)]

        def initial(_shape: Any, dtype: Any = None) -> Any:
            return keras.ops.stack([initializer(seed=s)(shape, dtype=dtype) for s in seeds])

        return self.add_weight(name=name, shape=(self.directions, *shape), initializer=initial, autocast=autocast)

    def _bias(self, name: str, width: int, initializer: Callable[..., Any] | str) -> Any:
        return self.add_weight(name=name, shape=(self.directions, width), initializer=initializer, autocast=False)

    def _initial_bias(self, shape: Any, dtype: Any = None) -> Any:
        return keras.ops.zeros(shape, dtype=dtype)

    def call(self, inputs: Any, lengths: Any) -> Any:
        """Outputs (B, T, D·H) of ``inputs`` (B, T, F) with ``lengths`` (B,) int32; zero beyond each length.

        Under a mixed precision policy the products over all frames are in its compute dtype, the time loop in float32.
        """
        lengths = tf.convert_to_tensor(lengths, tf.int32)
        biases = [self.bias, *([self.recurrent_bias] if self.has_recurrent_bias else [])]
        weights = map(tf.convert_to_tensor, (self.kernel, self.recurrent_kernel, *biases))
        return ENGINES[engine()](type(self).__name__, inputs, lengths, *weights)

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
