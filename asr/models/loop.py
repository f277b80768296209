"""The time loop of the recurrent cells in TensorFlow's own operations: for devices that are neither a CPU nor NVIDIA's.

It is what the tests hold the compiled loops against.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def rnn_step(x: Any, states: tuple[Any], recurrent: Any) -> tuple[Any]:
    """h_t = tanh(W_hh h_{t-1} + x_t)."""
    (h,) = states
    return (tf.tanh(x + tf.matmul(h, recurrent)),)


def lstm_step(x: Any, states: tuple[Any, Any], recurrent: Any) -> tuple[Any, Any]:
    """c_t = f_t c_{t-1} + i_t g_t, h_t = o_t tanh(c_t)."""
    h, c = states
    i, f, g, o = tf.split(x + tf.matmul(h, recurrent), 4, axis=-1)
    c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
    return tf.sigmoid(o) * tf.tanh(c), c


def gru_step(x: Any, states: tuple[Any], recurrent: Any, bias: Any) -> tuple[Any]:
    """h_t = z_t h_{t-1} + (1 - z_t) tanh(x_g + r_t (W_hh h_{t-1} + b)_g)."""
    (h,) = states
    x_z, x_r, x_g = tf.split(x, 3, axis=-1)
    p_z, p_r, p_g = tf.split(tf.matmul(h, recurrent) + bias[:, None], 3, axis=-1)
    z = tf.sigmoid(x_z + p_z)
    return (z * h + (1 - z) * tf.tanh(x_g + tf.sigmoid(x_r + p_r) * p_g),)


_STEPS: dict[str, tuple[Callable[..., Any], int]] = {
    "PlainRnn": (rnn_step, 1),
    "Lstm": (lstm_step, 2),
    "Gru": (gru_step, 1),
}


def run(cell: str, projected: Any, recurrent: Any, *bias: Any, nudges: Any = None) -> Any:
    """Hidden states (D, T, B, H) from W_xh x + b (D, T, B, G·H) and W_hh (D, H, G·H), h_0 = 0.

    ``nudges`` (D, T, B, H), when given, are added to h_t: at zero, a gradient with respect to them is that with respect
    to h_t along every path.
    """
    step, num_states = _STEPS[cell]
    arrays = [projected] if nudges is None else [projected, nudges]
    start = tf.zeros((projected.shape[0], tf.shape(projected)[2], recurrent.shape[1]), projected.dtype)

    def following(states: tuple[Any, ...], inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        x, *nudge = inputs
        h, *others = step(x, states, recurrent, *bias)
        return (tf.add_n([h, *nudge]), *others)

    by_time = tuple(tf.transpose(a, (1, 0, 2, 3)) for a in arrays)
    states = tf.scan(following, by_time, (start,) * num_states)
    return tf.transpose(states[0], (1, 0, 2, 3))


def layer(cell: str, inputs: Any, lengths: Any, kernel: Any, recurrent: Any, *biases: Any) -> Any:
    """Outputs (B, T, D·H) of ``inputs`` (B, T, F) with ``lengths`` (B,) int32; zero beyond each length.

    Args as ``bptt.layer``'s; the loop is in the type of ``recurrent``.
    """
    frames = tf.transpose(inputs, (1, 0, 2))
    both = tf.stack([frames, reversed_within(frames, lengths)][: kernel.shape[0]])
    bias, *rest = biases
    projected = tf.cast(tf.einsum("dtbf,dfg->dtbg", both, kernel), recurrent.dtype) + bias[:, None, None]
    hidden = tf.unstack(run(cell, projected, recurrent, *rest))
    outputs = tf.concat([hidden[0], *(reversed_within(h, lengths) for h in hidden[1:])], -1)
    mask = tf.sequence_mask(lengths, tf.shape(frames)[0], dtype=outputs.dtype)
    return tf.cast(tf.transpose(outputs, (1, 0, 2)) * mask[:, :, None], inputs.dtype)


def reversed_within(frames: Any, lengths: Any) -> Any:
    """(T, B, F) with each utterance's frames in reverse, its padding where it was."""
    return tf.reverse_sequence(frames, lengths, seq_axis=0, batch_axis=1)
