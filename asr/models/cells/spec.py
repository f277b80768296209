"""What the layer, its engines and the export need to know of a recurrent cell.

Write x_t for W_xh x_t + b, the cell's own part of its input, G for the number of its gates, H for its units.
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
        mode: its name, ``lstm``.
        gates: for each gate in cuDNN's order, the place of that gate in ours.
    """

    mode: str
    gates: tuple[int, ...]


@dataclass(frozen=True)
class Onnx:
    """The ONNX operator that computes a cell.

    Attributes:
        operator: its name, ``LSTM``.
        gates: for each gate in ONNX' order, the place of that gate in ours.
        attributes: of the operator, beyond those that every recurrent operator has; a list is for one direction.
        int8: ONNX Runtime's operator for weights of 8 bits, where it has one.
    """

    operator: str
    gates: tuple[int, ...]
    attributes: dict[str, Any] = field(default_factory=dict)
    int8: str | None = None


@dataclass(frozen=True)
class CellSpec:
    """One recurrent cell: its equations, forward and backward, and what computes it elsewhere.

    Attributes:
        name: as options and bundles have it, ``lstm``.
        title: as a figure has it, ``LSTM``.
        gates: G.
        has_recurrent_bias: whether W_hh h_{t-1} has a bias of its own, which b cannot stand for.
        initial_bias: H → b (G·H,) float32 that training begins with; None for zeros.
        step: one step in TensorFlow's operations, of any float type: x_t (D, B, G·H), the states before (each
            (D, B, H), h first), W_hh (D, H, G·H) and, where there is one, the recurrent bias (D, G·H) → the states.
        states: how many arrays make the state; one where h is all.
        forward: one direction on a CPU: W_xh x_t (T, B, G·H), which it may overwrite, W_hh (H, G·H) and the biases
            (G·H,), all float32 → h (T, B, H) with h_0 = 0, then ``kept`` arrays for ``backward``.
        backward: ∂L/∂h (T, B, H), W_hhᵀ (G·H, H), h (T, B, H), what ``forward`` kept → ∂L/∂(W_xh x_t + b) and
            ∂L/∂(W_hh h_{t-1} + b_r), both (T, B, G·H), the same array where they are equal.
        kept: how many arrays ``forward`` keeps.
        cudnn: how cuDNN computes it.
        onnx: how ONNX Runtime computes it.
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
