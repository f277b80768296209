"""The plain recurrent cell (Elman 1990): h_t = tanh(W_hh h_{t-1} + x_t)."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from asr.models.blas import multiply
from asr.models.cells.compiled import ONE, compiled, tanh
from asr.models.cells.spec import CellSpec, Cudnn, Onnx


def step(x: Any, states: tuple[Any], recurrent: Any) -> tuple[Any]:
    """Return h_t = tanh(W_hh h_{t-1} + x_t)."""
    (h,) = states
    return (tf.tanh(x + tf.matmul(h, recurrent)),)


def forward(z: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> list[np.ndarray]:
    """Return h (T, B, H), which overwrites ``z``; ``backward`` needs nothing else."""
    _forward(z, recurrent, bias)
    return [z]


def backward(d_hidden: np.ndarray, transposed: np.ndarray, hidden: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ∂L/∂z_t twice: both matrix products have the same gradient."""
    dz = np.empty_like(hidden)
    _backward(d_hidden, transposed, hidden, dz)
    return dz, dz


@compiled
def _forward(hidden: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> None:
    """Compute h_t = tanh(W_hh h_{t-1} + W_xh x_t + b); ``hidden`` holds W_xh x_t before and h_t afterwards."""
    for t in range(len(hidden)):
        if t > 0:
            multiply(hidden[t - 1], recurrent, hidden[t], True)
        for b in range(hidden.shape[1]):
            h = hidden[t, b]
            for j in range(len(h)):
                h[j] = tanh(h[j] + bias[j])


@compiled
def _backward(d_hidden: np.ndarray, transposed: np.ndarray, hidden: np.ndarray, d_projected: np.ndarray) -> None:
    """Fill ``d_projected`` with ∂L/∂z_t = (1 - h_t²) (∂L/∂h_t + W_hhᵀ ∂L/∂z_{t+1}), where h_t = tanh(z_t)."""
    carry = np.zeros(hidden.shape[1:], np.float32)
    for t in range(len(hidden) - 1, -1, -1):
        for b in range(hidden.shape[1]):
            h, dh, dz, c = hidden[t, b], d_hidden[t, b], d_projected[t, b], carry[b]
            for j in range(len(h)):
                dz[j] = (dh[j] + c[j]) * (ONE - h[j] * h[j])
        multiply(d_projected[t], transposed, carry, False)


CELL = CellSpec(
    name="rnn",
    title="plain RNN",
    gates=1,
    step=step,
    forward=forward,
    backward=backward,
    cudnn=Cudnn("rnn_tanh", (0,)),
    onnx=Onnx("RNN", (0,)),
)
