"""A recurrent layer computed by cuDNN's kernels on an NVIDIA GPU, with the same weights as on a CPU.

cuDNN takes a cell's weights as one vector (NVIDIA, cuDNN API reference, ``cudnnRNNMode_t``): W of each gate (H, F),
R of each gate (H, H), then the biases of each gate's W (H,), then of each gate's R (H,). The order of the gates is
cuDNN's own; each cell's `Cudnn` states it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from asr.errors import ConfigError
from asr.models.cells import CellSpec
from asr.models.engines.frames import reversed_within


def layer(cell: CellSpec, inputs: Any, lengths: Any, kernel: Any, recurrent: Any, *biases: Any) -> Any:
    """Return the outputs (B, T, D·H) for ``inputs`` (B, T, F) with ``lengths`` (B,) int32, each at least 1.

    Outputs beyond each length are zero. The arguments are those of ``cpu.layer``; cuDNN computes in the
    inputs' type.

    Raises:
        ConfigError: XLA is set to compile everything, and it cannot compile cuDNN's kernels.
    """
    if tf.config.optimizer.get_jit():
        raise ConfigError(
            "recurrent layers run on cuDNN, which XLA cannot compile; unset TF_XLA_FLAGS or tf.config.optimizer.set_jit"
        )
    frames = tf.transpose(inputs, (1, 0, 2))
    outputs = []
    for direction in range(kernel.shape[0]):
        read = frames if direction == 0 else reversed_within(frames, lengths)
        bias = biases[0][direction]
        second = biases[1][direction] if len(biases) > 1 else tf.zeros_like(bias)
        weights = (tf.cast(w, inputs.dtype) for w in (kernel[direction], recurrent[direction], bias, second))
        hidden = _one_direction(cell.cudnn.mode, read, lengths, packed(cell.cudnn.gates, *weights), recurrent.shape[1])
        outputs.append(hidden if direction == 0 else reversed_within(hidden, lengths))
    return tf.transpose(tf.concat(outputs, -1), (1, 0, 2))


def packed(order: Sequence[int], kernel: Any, recurrent: Any, bias: Any, recurrent_bias: Any) -> Any:
    """Return one direction's weights as cuDNN's vector: kernel (F, G·H), recurrent (H, G·H) and two biases (G·H,)."""
    parts = []
    for array in (kernel, recurrent, bias, recurrent_bias):
        gates = tf.split(array, len(order), axis=-1)
        parts += [tf.reshape(tf.transpose(gates[i]), (-1,)) for i in order]
    return tf.concat(parts, 0)


def _one_direction(mode: str, frames: Any, lengths: Any, weights: Any, units: int) -> Any:
    """Compute one direction, (T, B, F) → (T, B, H); outputs beyond each length are zero."""
    start = tf.zeros((1, tf.shape(frames)[1], units), frames.dtype)
    return tf.raw_ops.CudnnRNNV3(
        input=frames, input_h=start, input_c=start, params=weights, sequence_lengths=lengths, rnn_mode=mode
    )[0]
