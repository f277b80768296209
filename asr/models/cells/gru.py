"""The gated recurrent unit (Cho et al. 2014), its reset gate after the product, as cuDNN and Keras have it.

z, r, g are the three blocks of x_t, and p_z, p_r, p_g those of W_hh h_{t-1} + b_r:

    z_t = σ(x_z + p_z),    r_t = σ(x_r + p_r),    g_t = tanh(x_g + r_t p_g),    h_t = z_t h_{t-1} + (1 - z_t) g_t.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from asr.models.blas import multiply
from asr.models.cells.compiled import ONE, compiled, sigmoid, tanh
from asr.models.cells.spec import CellSpec, Cudnn, Onnx


def step(x: Any, states: tuple[Any], recurrent: Any, bias: Any) -> tuple[Any]:
    """Return h_t."""
    (h,) = states
    x_z, x_r, x_g = tf.split(x, 3, axis=-1)
    p_z, p_r, p_g = tf.split(tf.matmul(h, recurrent) + bias[:, None], 3, axis=-1)
    z = tf.sigmoid(x_z + p_z)
    return (z * h + (1 - z) * tf.tanh(x_g + tf.sigmoid(x_r + p_r) * p_g),)


def forward(z: np.ndarray, recurrent: np.ndarray, bias: np.ndarray, recurrent_bias: np.ndarray) -> list[np.ndarray]:
    """Return h (T, B, H), and for ``backward`` the gates (T, B, 3·H), which overwrite ``z``, and p_g (T, B, H)."""
    hidden = np.empty((*z.shape[:2], len(recurrent)), np.float32)
    candidate = np.empty_like(hidden)
    _forward(z, recurrent, bias, recurrent_bias, hidden, candidate)
    return [hidden, z, candidate]


def backward(
    d_hidden: np.ndarray, transposed: np.ndarray, hidden: np.ndarray, gates: np.ndarray, candidate: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return ∂L/∂(W_xh x_t + b) and ∂L/∂(W_hh h_{t-1} + b_r), which differ in g by the factor r."""
    dz, d_product = np.empty_like(gates), np.empty_like(gates)
    _backward(d_hidden, transposed, hidden, gates, candidate, dz, d_product)
    return dz, d_product


@compiled
def _forward(
    z: np.ndarray,
    recurrent: np.ndarray,
    bias: np.ndarray,
    recurrent_bias: np.ndarray,
    hidden: np.ndarray,
    candidate: np.ndarray,
) -> None:
    """Fill ``hidden`` with h_t = z_t h_{t-1} + (1 - z_t) g_t, g_t = tanh(x_g + r_t n_t), n_t = (W_hh h_{t-1} + b_r)_g.

    The reset gate is applied after the product, as in cuDNN and Keras (``reset_after``). ``recurrent_bias`` (3·H,) is
    b_r. The gates z, r, g overwrite ``z``, and ``candidate`` (T, B, H) is filled with n_t.
    """
    units = hidden.shape[2]
    product, zeros = np.zeros(z.shape[1:], np.float32), np.zeros(units, np.float32)
    for t in range(len(z)):
        if t > 0:
            multiply(hidden[t - 1], recurrent, product, False)
        for b in range(z.shape[1]):
            a, p, h, n = z[t, b], product[b], hidden[t, b], candidate[t, b]
            previous = hidden[t - 1, b] if t > 0 else zeros
            for j in range(2 * units):
                a[j] = sigmoid(a[j] + bias[j] + p[j] + recurrent_bias[j])
            update, r, g = a[:units], a[units : 2 * units], a[2 * units :]
            p_g, b_g, b_n = p[2 * units :], bias[2 * units :], recurrent_bias[2 * units :]
            for j in range(units):
                n[j] = p_g[j] + b_n[j]
            for j in range(units):
                g[j] = tanh(g[j] + b_g[j] + r[j] * n[j])
            for j in range(units):
                h[j] = update[j] * previous[j] + (ONE - update[j]) * g[j]


@compiled
def _backward(
    d_hidden: np.ndarray,
    transposed: np.ndarray,
    hidden: np.ndarray,
    gates: np.ndarray,
    candidate: np.ndarray,
    d_projected: np.ndarray,
    d_product: np.ndarray,
) -> None:
    """Backpropagate through the time loop of ``_forward``; fill ``d_projected`` and ``d_product``.

    ``d_projected`` is ∂L/∂(W_xh x_t + b); ``d_product`` is ∂L/∂(W_hh h_{t-1} + b), which differs in g by the factor r.
    """
    batch, units = d_hidden.shape[1:]
    carry = np.zeros((batch, units), np.float32)
    through_gate = np.zeros((batch, units), np.float32)
    zeros = np.zeros(units, np.float32)
    for t in range(len(d_hidden) - 1, -1, -1):
        for b in range(batch):
            a, dx, dp, n = gates[t, b], d_projected[t, b], d_product[t, b], candidate[t, b]
            z, r, g = a[:units], a[units : 2 * units], a[2 * units :]
            dz, dr, dg, dn = dx[:units], dx[units : 2 * units], dx[2 * units :], dp[2 * units :]
            previous = hidden[t - 1, b] if t > 0 else zeros
            dh, out, direct = carry[b], d_hidden[t, b], through_gate[b]
            for j in range(units):
                dh[j] += out[j] + direct[j]
            for j in range(units):
                dg[j] = dh[j] * (ONE - z[j]) * (ONE - g[j] * g[j])
            for j in range(units):
                dz[j] = dh[j] * (previous[j] - g[j]) * z[j] * (ONE - z[j])
            for j in range(units):
                dr[j] = dg[j] * n[j] * r[j] * (ONE - r[j])
            for j in range(units):
                dn[j] = dg[j] * r[j]
            for j in range(units):
                direct[j] = dh[j] * z[j]
            for j in range(2 * units):
                dp[j] = dx[j]
        multiply(d_product[t], transposed, carry, False)


CELL = CellSpec(
    name="gru",
    title="GRU",
    gates=3,
    has_recurrent_bias=True,
    step=step,
    forward=forward,
    backward=backward,
    kept=2,
    cudnn=Cudnn("gru", (1, 0, 2)),
    onnx=Onnx("GRU", (0, 1, 2), {"linear_before_reset": 1}),
)
