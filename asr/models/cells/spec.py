"""The description of a recurrent cell for the layer, its engines and the export.

In this file x_t stands for W_xh x_t + b, the projected input; G is the number of gates and H the number of units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Cudnn:
    """The mode of cuDNN that computes a cell (NVIDIA, cuDNN API reference, ``cudnnRNNMode_t``).

    Attributes:
        mode: the name of the mode, such as ``lstm``.
        gates: the index in our order of each gate, in cuDNN's order.
    """

    mode: str
    gates: tuple[int, ...]


@dataclass(frozen=True)
class Onnx:
    """The ONNX operator that computes a cell.

    Attributes:
        operator: the name of the operator, such as ``LSTM``.
        gates: the index in our order of each gate, in ONNX' order.
        attributes: attributes of the operator beyond those that every recurrent operator has; a list holds the values
            for one direction.
        int8: the name of ONNX Runtime's operator for 8-bit weights; None where it has none.
    """

    operator: str
    gates: tuple[int, ...]
    attributes: dict[str, Any] = field(default_factory=dict)
    int8: str | None = None


@dataclass(frozen=True)
class CellSpec:
    """One recurrent cell: its equations, forward and backward, and how cuDNN and ONNX Runtime compute it.

    Attributes:
        name: the name in options and bundles, such as ``lstm``.
        title: the name in figures, such as ``LSTM``.
        gates: G, the number of gates.
        has_recurrent_bias: whether W_hh h_{t-1} has a bias of its own that cannot be added to b.
        initial_bias: a function from H to the b (G·H,) float32 that training begins with; None for zeros.
        step: a function that computes one step with TensorFlow's operations, in any float type. It takes x_t
            (D, B, G·H), the previous states (each (D, B, H), h first), W_hh (D, H, G·H) and, if the cell has one, the
            recurrent bias (D, G·H), and returns the new states.
        states: the number of arrays that make up the state; 1 where h is the whole state.
        forward: a function that computes one direction on a CPU. It takes W_xh x_t (T, B, G·H), which it may
            overwrite, W_hh (H, G·H) and the biases (G·H,), all float32, and returns h (T, B, H), starting from
            h_0 = 0, followed by ``kept`` arrays for ``backward``.
        backward: a function that takes ∂L/∂h (T, B, H), W_hhᵀ (G·H, H), h (T, B, H) and the arrays that ``forward``
            kept, and returns ∂L/∂(W_xh x_t + b) and ∂L/∂(W_hh h_{t-1} + b_r), both (T, B, G·H); it may return the same
            array twice where they are equal.
        kept: the number of arrays that ``forward`` keeps for ``backward``.
        cudnn: the cuDNN mode that computes the cell.
        onnx: the ONNX operator that computes the cell.
    """

    name: str
    title: str
    gates: int
    step: Callable[..., tuple[Any, ...]]
    forward: Callable[..., list[np.ndarray]]
    backward: Callable[..., tuple[np.ndarray, np.ndarray]]
    cudnn: Cudnn
    onnx: Onnx
    states: int = 1
    kept: int = 0
    has_recurrent_bias: bool = False
    initial_bias: Callable[[int], np.ndarray] | None = None
