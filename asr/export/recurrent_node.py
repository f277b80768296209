"""The weights of a recurrent layer in the form that ONNX' recurrent operators take.

With D directions, G gates and H units, ONNX' arrays are W (D, G·H, F), which is W_xhᵀ, R (D, G·H, H), which is W_hhᵀ,
and B (D, 2·G·H), the bias of the first product followed by that of the second. The order of the gates is ONNX' own;
each cell's `Onnx` states it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from asr.models import Recurrent


def operator(layer: Recurrent) -> tuple[str, dict[str, Any]]:
    """Return the name of the ONNX operator that computes ``layer``, and its attributes."""
    onnx = layer.spec.onnx
    direction = "bidirectional" if layer.bidirectional else "forward"
    own = {k: v * layer.directions if isinstance(v, list) else v for k, v in onnx.attributes.items()}
    return onnx.operator, {"hidden_size": layer.units, "direction": direction, **own}


def weights(layer: Recurrent) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return W (D, G·H, F), R (D, G·H, H) and B (D, 2·G·H), float32."""
    order = layer.spec.onnx.gates
    bias = np.asarray(layer.bias)
    recurrent_bias = np.asarray(layer.recurrent_bias) if layer.spec.has_recurrent_bias else np.zeros_like(bias)
    w, r, b, rb = (_ordered(np.asarray(a), order) for a in (layer.kernel, layer.recurrent_kernel, bias, recurrent_bias))
    return w.transpose(0, 2, 1), r.transpose(0, 2, 1), np.concatenate([b, rb], axis=1)


def assign(layer: Recurrent, w: np.ndarray, r: np.ndarray, b: np.ndarray) -> None:
    """Give ``layer`` the arrays that ``weights`` returned for another layer.

    The two biases are added for a cell that has only one.

    Raises:
        ValueError: an array has another shape.
    """
    back = np.argsort(layer.spec.onnx.gates).tolist()
    bias, recurrent_bias = np.split(b, 2, axis=1)
    layer.kernel.assign(_ordered(w.transpose(0, 2, 1), back))
    layer.recurrent_kernel.assign(_ordered(r.transpose(0, 2, 1), back))
    if layer.spec.has_recurrent_bias:
        layer.recurrent_bias.assign(_ordered(recurrent_bias, back))
        layer.bias.assign(_ordered(bias, back))
    else:
        layer.bias.assign(_ordered(bias + recurrent_bias, back))


def _ordered(array: np.ndarray, order: Sequence[int]) -> np.ndarray:
    """Return (…, G·H) with its G blocks in another order."""
    blocks = np.split(array, len(order), axis=-1)
    return np.concatenate([blocks[i] for i in order], axis=-1)
