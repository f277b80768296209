"""Long short-term memory with a forget gate (Hochreiter & Schmidhuber 1997, Gers et al. 2000).

i, f, g, o are the four blocks of x_t + W_hh h_{t-1}, g through tanh and the others through the logistic function:

    c_t = f_t c_{t-1} + i_t g_t,    h_t = o_t tanh(c_t).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from asr.models.blas import multiply
from asr.models.cells.compiled import ONE, compiled, sigmoid, tanh
from asr.models.cells.spec import CellSpec, Cudnn, Onnx


def initial_bias(units: int) -> np.ndarray:
    """Return the initial b (4·H,): one for the forget gate, so that a new cell remembers; zero for the other gates."""
    bias = np.zeros(4 * units, np.float32)
    bias[units : 2 * units] = 1
    return bias


def step(x: Any, states: tuple[Any, Any], recurrent: Any) -> tuple[Any, Any]:
    """Return h_t and c_t."""
    h, c = states
    i, f, g, o = tf.split(x + tf.matmul(h, recurrent), 4, axis=-1)
    c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
    return tf.sigmoid(o) * tf.tanh(c), c


def forward(z: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> list[np.ndarray]:
    """Return h (T, B, H), and for ``backward`` c (T, B, H) and the gates (T, B, 4·H), which overwrite ``z``."""
    hidden = np.empty((*z.shape[:2], len(recurrent)), np.float32)
    cell = np.empty_like(hidden)
    _forward(z, recurrent, bias, hidden, cell)
    return [hidden, cell, z]


def backward(
    d_hidden: np.ndarray, transposed: np.ndarray, _hidden: np.ndarray, cell: np.ndarray, gates: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return ∂L/∂z_t twice, where z_t are the gates' arguments: both matrix products have the same gradient."""
    dz = np.empty_like(gates)
    _backward(d_hidden, transposed, cell, gates, dz)
    return dz, dz


@compiled
def _forward(z: np.ndarray, recurrent: np.ndarray, bias: np.ndarray, hidden: np.ndarray, cell: np.ndarray) -> None:
    """Fill ``cell`` with c_t = f_t c_{t-1} + i_t g_t and ``hidden`` with h_t = o_t tanh(c_t), both (T, B, H)."""
    units = hidden.shape[2]
    zeros = np.zeros(units, np.float32)
    for t in range(len(z)):
        if t > 0:
            multiply(hidden[t - 1], recurrent, z[t], True)
        for b in range(z.shape[1]):
            a, c, h = z[t, b], cell[t, b], hidden[t, b]
            previous = cell[t - 1, b] if t > 0 else zeros
            for j in range(2 * units):
                a[j] = sigmoid(a[j] + bias[j])
            for j in range(2 * units, 3 * units):
                a[j] = tanh(a[j] + bias[j])
            for j in range(3 * units, 4 * units):
                a[j] = sigmoid(a[j] + bias[j])
            i, f, g, o = a[:units], a[units : 2 * units], a[2 * units : 3 * units], a[3 * units :]
            for j in range(units):
                c[j] = f[j] * previous[j] + i[j] * g[j]
            for j in range(units):
                h[j] = o[j] * tanh(c[j])


@compiled
def _backward(
    d_hidden: np.ndarray, transposed: np.ndarray, cell: np.ndarray, gates: np.ndarray, d_projected: np.ndarray
) -> None:
    """Backpropagate through the time loop of ``_forward``; fill ``d_projected`` with ∂L/∂z, z the gates' arguments."""
    batch, units = d_hidden.shape[1:]
    carry_h, carry_c = np.zeros((batch, units), np.float32), np.zeros((batch, units), np.float32)
    zeros, squashed = np.zeros(units, np.float32), np.empty(units, np.float32)
    for t in range(len(d_hidden) - 1, -1, -1):
        for b in range(batch):
            z, dz = gates[t, b], d_projected[t, b]
            i, f, g, o = z[:units], z[units : 2 * units], z[2 * units : 3 * units], z[3 * units :]
            di, df, dg, do = dz[:units], dz[units : 2 * units], dz[2 * units : 3 * units], dz[3 * units :]
            c, dh, dc, from_later = cell[t, b], d_hidden[t, b], carry_c[b], carry_h[b]
            previous = cell[t - 1, b] if t > 0 else zeros
            for j in range(units):
                squashed[j] = tanh(c[j])
            for j in range(units):
                from_later[j] += dh[j]
            for j in range(units):
                do[j] = from_later[j] * squashed[j] * o[j] * (ONE - o[j])
            for j in range(units):
                dc[j] += from_later[j] * o[j] * (ONE - squashed[j] * squashed[j])
            for j in range(units):
                di[j] = dc[j] * g[j] * i[j] * (ONE - i[j])
            for j in range(units):
                df[j] = dc[j] * previous[j] * f[j] * (ONE - f[j])
            for j in range(units):
                dg[j] = dc[j] * i[j] * (ONE - g[j] * g[j])
            for j in range(units):
                dc[j] *= f[j]
        multiply(d_projected[t], transposed, carry_h, False)


CELL = CellSpec(
    name="lstm",
    title="LSTM",
    gates=4,
    states=2,
    initial_bias=initial_bias,
    step=step,
    forward=forward,
    backward=backward,
    kept=2,
    cudnn=Cudnn("lstm", (0, 1, 2, 3)),
    onnx=Onnx("LSTM", (0, 3, 1, 2), int8="DynamicQuantizeLSTM"),
)
