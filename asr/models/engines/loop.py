"""The time loop of the recurrent cells in TensorFlow's own operations, for devices other than CPUs and NVIDIA's GPUs.

The tests compare the compiled loops with it.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from asr.models.cells import CellSpec
from asr.models.engines.frames import reversed_within


def run(cell: CellSpec, projected: Any, recurrent: Any, *bias: Any, nudges: Any = None) -> Any:
    """Compute hidden states (D, T, B, H) from W_xh x + b (D, T, B, G·H) and W_hh (D, H, G·H), with h_0 = 0.

    ``nudges`` (D, T, B, H), if given, are added to h_t. With nudges of zero, the gradient with respect to them is the
    gradient with respect to h_t along every path.
    """
    arrays = [projected] if nudges is None else [projected, nudges]
    start = tf.zeros((projected.shape[0], tf.shape(projected)[2], recurrent.shape[1]), projected.dtype)

    def following(states: tuple[Any, ...], inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        x, *nudge = inputs
        h, *others = cell.step(x, states, recurrent, *bias)
        return (tf.add_n([h, *nudge]), *others)

    by_time = tuple(tf.transpose(a, (1, 0, 2, 3)) for a in arrays)
    states = tf.scan(following, by_time, (start,) * cell.states)
    return tf.transpose(states[0], (1, 0, 2, 3))


def layer(cell: CellSpec, inputs: Any, lengths: Any, kernel: Any, recurrent: Any, *biases: Any) -> Any:
    """Return the outputs (B, T, D·H) for ``inputs`` (B, T, F) with ``lengths`` (B,) int32; zero beyond each length.

    The arguments are those of ``cpu.layer``; the time loop computes in the type of ``recurrent``.
    """
    frames = tf.transpose(inputs, (1, 0, 2))
    both = tf.stack([frames, reversed_within(frames, lengths)][: kernel.shape[0]])
    bias, *rest = biases
    projected = tf.cast(tf.einsum("dtbf,dfg->dtbg", both, kernel), recurrent.dtype) + bias[:, None, None]
    hidden = tf.unstack(run(cell, projected, recurrent, *rest))
    outputs = tf.concat([hidden[0], *(reversed_within(h, lengths) for h in hidden[1:])], -1)
    mask = tf.sequence_mask(lengths, tf.shape(frames)[0], dtype=outputs.dtype)
    return tf.cast(tf.transpose(outputs, (1, 0, 2)) * mask[:, :, None], inputs.dtype)
