"""One direction of each cell through time, forward and back: the arrays that the compiled loops fill.

Shapes as in ``kernels.py``: z (T, B, G·H) comes as W_xh x_t and is overwritten; hidden states are (T, B, H).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from asr.models import kernels


def _rnn_forward(z: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> list[np.ndarray]:
    kernels.rnn_forward(z, recurrent, bias)
    return [z]


def _rnn_backward(d_hidden: np.ndarray, transposed: np.ndarray, hidden: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    dz = np.empty_like(hidden)
    kernels.rnn_backward(d_hidden, transposed, hidden, dz)
    return dz, dz


def _lstm_forward(z: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> list[np.ndarray]:
    hidden = np.empty((*z.shape[:2], len(recurrent)), np.float32)
    cell = np.empty_like(hidden)
    kernels.lstm_forward(z, recurrent, bias, hidden, cell)
    return [hidden, cell, z]


def _lstm_backward(
    d_hidden: np.ndarray, transposed: np.ndarray, _hidden: np.ndarray, cell: np.ndarray, gates: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    dz = np.empty_like(gates)
    kernels.lstm_backward(d_hidden, transposed, cell, gates, dz)
    return dz, dz


def _gru_forward(
    z: np.ndarray, recurrent: np.ndarray, bias: np.ndarray, recurrent_bias: np.ndarray
) -> list[np.ndarray]:
    hidden = np.empty((*z.shape[:2], len(recurrent)), np.float32)
    candidate = np.empty_like(hidden)
    kernels.gru_forward(z, recurrent, bias, recurrent_bias, hidden, candidate)
    return [hidden, z, candidate]


def _gru_backward(
    d_hidden: np.ndarray, transposed: np.ndarray, hidden: np.ndarray, gates: np.ndarray, candidate: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    dz, d_product = np.empty_like(gates), np.empty_like(gates)
    kernels.gru_backward(d_hidden, transposed, hidden, gates, candidate, dz, d_product)
    return dz, d_product


@dataclass(frozen=True)
class Cell:
    """How one cell goes through time.

    Attributes:
        forward: z, W_hh, biases → hidden states, then what ``backward`` needs.
        backward: ∂L/∂h, W_hhᵀ, hidden states, what was kept → ∂L/∂(W_xh x_t + b) and ∂L/∂(W_hh h_{t-1} + b).
        kept: how many arrays are kept.
    """

    forward: Callable[..., list[np.ndarray]]
    backward: Callable[..., tuple[np.ndarray, np.ndarray]]
    kept: int


NUMPY_CELLS = {
    "PlainRnn": Cell(_rnn_forward, _rnn_backward, 0),
    "Lstm": Cell(_lstm_forward, _lstm_backward, 2),
    "Gru": Cell(_gru_forward, _gru_backward, 2),
}
