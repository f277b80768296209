"""The time loops of the recurrent cells on a CPU, forward and backward, compiled by numba.

Stock Keras and a TensorFlow ``while_loop`` spend most of a step on the overhead of a dozen small operations a frame.
Here a frame is one BLAS product and one pass over the gates. Everything that is one large product over all frames
(input projection, weight gradients) stays outside, in ``bptt.py``.

Shapes, for one direction: ``z`` (T, B, G·H) comes as W_xh x_t and leaves as the gates; ``recurrent`` (H, G·H) is W_hh;
``bias`` (G·H,) is b; ``hidden`` (T, B, H) is h_t, with h_0 = 0. Gates stand in Keras' order: LSTM i f c o, GRU z r h.
Only float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from asr.models.blas import multiply

_FAST: Any = {"fastmath": True, "nogil": True, "cache": True, "error_model": "numpy"}

# tanh as x·P(x²)/Q(x²), the coefficients of Eigen's float32 approximation: within 3e-7 everywhere, and unlike a call
# into the C library it becomes vector instructions.
_P = tuple(
    np.float32(c)
    for c in (
        4.89352455891786e-03,
        6.37261928875436e-04,
        1.48572235717979e-05,
        5.12229709037114e-08,
        -8.60467152213735e-11,
        2.00018790482477e-13,
        -2.76076847742355e-16,
    )
)
_Q = tuple(
    np.float32(c) for c in (4.89352518554385e-03, 2.26843463243900e-03, 1.18534705686654e-04, 1.19825839466702e-06)
)
_ONE, _HALF, _CLIP = np.float32(1), np.float32(0.5), np.float32(7.9)


@njit(**_FAST)
def _tanh(x):
    x = min(max(x, -_CLIP), _CLIP)
    q = x * x
    p = _P[0] + q * (_P[1] + q * (_P[2] + q * (_P[3] + q * (_P[4] + q * (_P[5] + q * _P[6])))))
    return x * p / (_Q[0] + q * (_Q[1] + q * (_Q[2] + q * _Q[3])))


@njit(**_FAST)
def _sigmoid(x):
    return _HALF + _HALF * _tanh(_HALF * x)


@njit(**_FAST)
def gather(rows, lengths, backwards, frames):
    """(B, T, F) → ``frames`` (T, B, F): each utterance's own frames, in reverse if ``backwards``; zero beyond them."""
    for t in range(frames.shape[0]):
        for b in range(frames.shape[1]):
            if t >= lengths[b]:
                frames[t, b] = 0
            else:
                frames[t, b] = rows[b, lengths[b] - 1 - t if backwards else t]


@njit(**_FAST)
def scatter(frames, lengths, backwards, rows):
    """What ``gather`` did, undone: (T, B, F) → ``rows`` (B, T, F), zero beyond each utterance."""
    for b in range(rows.shape[0]):
        for t in range(rows.shape[1]):
            if t >= lengths[b]:
                rows[b, t] = 0
            else:
                rows[b, t] = frames[lengths[b] - 1 - t if backwards else t, b]


@njit(**_FAST)
def rnn_forward(hidden, recurrent, bias):
    """h_t = tanh(W_hh h_{t-1} + W_xh x_t + b); ``hidden`` comes as W_xh x_t."""
    for t in range(len(hidden)):
        if t > 0:
            multiply(hidden[t - 1], recurrent, hidden[t], True)
        for b in range(hidden.shape[1]):
            h = hidden[t, b]
            for j in range(len(h)):
                h[j] = _tanh(h[j] + bias[j])


@njit(**_FAST)
def rnn_backward(d_hidden, transposed, hidden, d_projected):
    """∂L/∂z_t = (1 - h_t²) (∂L/∂h_t + W_hhᵀ ∂L/∂z_{t+1}) with h_t = tanh(z_t); fills ``d_projected`` with ∂L/∂z."""
    carry = np.zeros(hidden.shape[1:], np.float32)
    for t in range(len(hidden) - 1, -1, -1):
        for b in range(hidden.shape[1]):
            h, dh, dz, c = hidden[t, b], d_hidden[t, b], d_projected[t, b], carry[b]
            for j in range(len(h)):
                dz[j] = (dh[j] + c[j]) * (_ONE - h[j] * h[j])
        multiply(d_projected[t], transposed, carry, False)


@njit(**_FAST)
def lstm_forward(z, recurrent, bias, hidden, cell):
    """c_t = f_t c_{t-1} + i_t g_t, h_t = o_t tanh(c_t) (Gers et al. 2000); fills ``hidden`` and ``cell`` (T, B, H)."""
    units = hidden.shape[2]
    zeros = np.zeros(units, np.float32)
    for t in range(len(z)):
        if t > 0:
            multiply(hidden[t - 1], recurrent, z[t], True)
        for b in range(z.shape[1]):
            a, c, h = z[t, b], cell[t, b], hidden[t, b]
            previous = cell[t - 1, b] if t > 0 else zeros
            for j in range(2 * units):
                a[j] = _sigmoid(a[j] + bias[j])
            for j in range(2 * units, 3 * units):
                a[j] = _tanh(a[j] + bias[j])
            for j in range(3 * units, 4 * units):
                a[j] = _sigmoid(a[j] + bias[j])
            i, f, g, o = a[:units], a[units : 2 * units], a[2 * units : 3 * units], a[3 * units :]
            for j in range(units):
                c[j] = f[j] * previous[j] + i[j] * g[j]
            for j in range(units):
                h[j] = o[j] * _tanh(c[j])


@njit(**_FAST)
def lstm_backward(d_hidden, transposed, cell, gates, d_projected):
    """Backpropagation through time of ``lstm_forward``; fills ``d_projected`` with ∂L/∂z, z the gates' arguments."""
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
                squashed[j] = _tanh(c[j])
            for j in range(units):
                from_later[j] += dh[j]
            for j in range(units):
                do[j] = from_later[j] * squashed[j] * o[j] * (_ONE - o[j])
            for j in range(units):
                dc[j] += from_later[j] * o[j] * (_ONE - squashed[j] * squashed[j])
            for j in range(units):
                di[j] = dc[j] * g[j] * i[j] * (_ONE - i[j])
            for j in range(units):
                df[j] = dc[j] * previous[j] * f[j] * (_ONE - f[j])
            for j in range(units):
                dg[j] = dc[j] * i[j] * (_ONE - g[j] * g[j])
            for j in range(units):
                dc[j] *= f[j]
        multiply(d_projected[t], transposed, carry_h, False)


@njit(**_FAST)
def gru_forward(z, recurrent, bias, recurrent_bias, hidden, candidate):
    """h_t = z_t h_{t-1} + (1 - z_t) g_t, g_t = tanh(x_g + r_t n_t), n_t = (W_hh h_{t-1} + b_r)_g; fills the last two.

    The reset gate after the product, as cuDNN and Keras have it (``reset_after``). ``recurrent_bias`` (3·H,) is b_r,
    ``z`` leaves as z r g, ``candidate`` (T, B, H) keeps n_t.
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
                a[j] = _sigmoid(a[j] + bias[j] + p[j] + recurrent_bias[j])
            update, r, g = a[:units], a[units : 2 * units], a[2 * units :]
            p_g, b_g, b_n = p[2 * units :], bias[2 * units :], recurrent_bias[2 * units :]
            for j in range(units):
                n[j] = p_g[j] + b_n[j]
            for j in range(units):
                g[j] = _tanh(g[j] + b_g[j] + r[j] * n[j])
            for j in range(units):
                h[j] = update[j] * previous[j] + (_ONE - update[j]) * g[j]


@njit(**_FAST)
def gru_backward(d_hidden, transposed, hidden, gates, candidate, d_projected, d_product):
    """Backpropagation through time of ``gru_forward``; fills the last two.

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
                dg[j] = dh[j] * (_ONE - z[j]) * (_ONE - g[j] * g[j])
            for j in range(units):
                dz[j] = dh[j] * (previous[j] - g[j]) * z[j] * (_ONE - z[j])
            for j in range(units):
                dr[j] = dg[j] * n[j] * r[j] * (_ONE - r[j])
            for j in range(units):
                dn[j] = dg[j] * r[j]
            for j in range(units):
                direct[j] = dh[j] * z[j]
            for j in range(2 * units):
                dp[j] = dx[j]
        multiply(d_product[t], transposed, carry, False)
