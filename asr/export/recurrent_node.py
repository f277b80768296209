"""The weights of a recurrent layer as ONNX' RNN, LSTM and GRU want them.

ONNX' arrays, with D directions, G gates and H units: W (D, G·H, F) is W_xhᵀ, R (D, G·H, H) is W_hhᵀ, B (D, 2·G·H) is
the bias of the first product, then that of the second. The gates stand in another order than Keras': LSTM i o f c for
i f c o; the GRU's z r h is the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from asr.models.recurrent import Gru, Lstm, PlainRnn, Recurrent

_OPERATORS: dict[type[Recurrent], tuple[str, list[int], dict[str, Any]]] = {
    PlainRnn: ("RNN", [0], {}),
    Lstm: ("LSTM", [0, 3, 1, 2], {}),
    Gru: ("GRU", [0, 1, 2], {"linear_before_reset": 1}),
}


def operator(layer: Recurrent) -> tuple[str, dict[str, Any]]:
    """The ONNX operator that does as ``layer``, and its attributes."""
    name, _, attributes = _OPERATORS[type(layer)]
    direction = "bidirectional" if layer.bidirectional else "forward"
    return name, {"hidden_size": layer.units, "direction": direction, **attributes}


def weights(layer: Recurrent) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """W (D, G·H, F), R (D, G·H, H), B (D, 2·G·H) float32."""
    order = _OPERATORS[type(layer)][1]
    bias = np.asarray(layer.bias)
    recurrent_bias = np.asarray(layer.recurrent_bias) if layer.has_recurrent_bias else np.zeros_like(bias)
    w, r, b, rb = (_ordered(np.asarray(a), order) for a in (layer.kernel, layer.recurrent_kernel, bias, recurrent_bias))
    return w.transpose(0, 2, 1), r.transpose(0, 2, 1), np.concatenate([b, rb], axis=1)


def assign(layer: Recurrent, w: np.ndarray, r: np.ndarray, b: np.ndarray) -> None:
    """Give ``layer`` the arrays that ``weights`` made of another's; the two biases of a cell that has one are added.

    Raises:
        ValueError: they are of another shape.
    """
    back = np.argsort(_OPERATORS[type(layer)][1]).tolist()
    bias, recurrent_bias = np.split(b, 2, axis=1)
    layer.kernel.assign(_ordered(w.transpose(0, 2, 1), back))
    layer.recurrent_kernel.assign(_ordered(r.transpose(0, 2, 1), back))
    if layer.has_recurrent_bias:
        layer.recurrent_bias.assign(_ordered(recurrent_bias, back))
        layer.bias.assign(_ordered(bias, back))
    else:
        layer.bias.assign(_ordered(bias + recurrent_bias, back))


def _ordered(array: np.ndarray, order: list[int]) -> np.ndarray:
    """(…, G·H) with its G blocks in another order."""
    blocks = np.split(array, len(order), axis=-1)
    return np.concatenate([blocks[i] for i in order], axis=-1)
