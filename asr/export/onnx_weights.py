"""Reading of an exported graph's weights, float32 or int8, back into a model; the inverse of ``onnx_graph.py``.

A quantised graph stores an array W as ``W_quantized``, with a scale and a zero point for each column.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import numpy_helper

from asr.errors import ExportError
from asr.export import recurrent_node
from asr.models import CELLS, AcousticModel

_QUANTISED = "_quantized"
_OPERATORS = {
    "convolutions": {"Conv"},
    "norms": {"LayerNormalization"},
    "recurrent": {name for cell in CELLS.values() for name in (cell.onnx.operator, cell.onnx.int8) if name},
    "output": {"MatMul", "MatMulInteger"},
}
"""Operators by the part of the model that they compute; a graph has them in the model's order."""


def read_weights(graph: onnx.GraphProto, model: AcousticModel) -> None:
    """Give ``model`` the weights of ``graph``, which is the export of a model with the same options.

    Raises:
        ExportError: the graph is the export of a model with other options.
    """
    try:
        arrays = {a.name: numpy_helper.to_array(a) for a in graph.initializer}
        parts = {
            part: [
                [_array(arrays, name) for name in node.input[1:4]] for node in graph.node if node.op_type in operators
            ]
            for part, operators in _OPERATORS.items()
        }
        for convolution, (weight, bias, *_) in zip(model.convolutions, parts["convolutions"], strict=True):
            convolution.weight.assign(weight.transpose(2, 3, 1, 0))
            convolution.bias.assign(bias)
        for norm, (gamma, beta, *_) in zip(model.norms, parts["norms"], strict=True):
            norm.gamma.assign(gamma)
            norm.beta.assign(beta)
        for layer, weights in zip(model.recurrent, parts["recurrent"], strict=True):
            recurrent_node.assign(layer, *weights)
        for output, (kernel, *_) in zip(model.output_layers, parts["output"], strict=True):
            output.kernel.assign(kernel)
    except (ValueError, KeyError, TypeError) as fault:  # too many or too few weights, or one of another name or shape
        raise ExportError(f"the graph is not the export of a model with these options: {fault}") from fault


def _array(arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """Return an array by its name in float32; a recurrent layer's W and R are (D, G·H, F), untransposed from int8."""
    if not name.endswith(_QUANTISED):
        return arrays.get(name, np.zeros(0, np.float32))
    scale, zero = (arrays[name.removesuffix(_QUANTISED) + end] for end in ("_scale", "_zero_point"))
    values: np.ndarray = (arrays[name].astype(np.float32) - zero[..., None, :]) * scale[..., None, :]
    return values.swapaxes(-1, -2) if values.ndim == 3 else values
