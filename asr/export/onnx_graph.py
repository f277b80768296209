"""The acoustic model as an ONNX graph of native operators, which ONNX Runtime has as fast kernels.

``features`` (B, T, F) float32, ``feature_lengths`` (B,) int64 → ``log_probs`` (B, T', V + P) float32,
``log_prob_lengths`` (B,) int64; B and T are free. Rows beyond an utterance's length are finite, and mean nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from asr.export import recurrent_node
from asr.models import AcousticModel, Recurrent
from asr.models.acoustic import MaskedConv

OPSET = 17
"""The first with LayerNormalization; ONNX Runtime reads it, and the IR version of its time, from 1.13 on."""

IR_VERSION = 8


class _Graph:
    """Nodes and arrays so far; names count up, so that the same model gives the same bytes."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.arrays: list[onnx.TensorProto] = []

    def array(self, values: Any, dtype: Any = np.float32) -> str:
        """Keep an array; its name."""
        name = f"array_{len(self.arrays)}"
        self.arrays.append(numpy_helper.from_array(np.asarray(values, dtype, order="C"), name))
        return name

    def integers(self, *values: int) -> str:
        """Keep a vector of int64; its name."""
        return self.array(values, np.int64)

    def scalar(self, value: int) -> str:
        """Keep an int64; its name."""
        return self.array(value, np.int64)

    def add(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Append a node; the name of its first output."""
        name = f"{operator}_{len(self.nodes)}"
        output = output or name
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=name, **attributes))
        return output


def to_onnx(model: AcousticModel) -> onnx.ModelProto:
    """The graph of ``model`` with its weights, checked by ONNX' own checker."""
    graph = _Graph()
    x = graph.add("Unsqueeze", "features", graph.integers(1))
    lengths = "feature_lengths"
    for convolution in model.convolutions:
        x, lengths = _convolution(graph, convolution, x, lengths), _shortened(graph, convolution, lengths)
    x = _time_first(graph, model, x)
    lengths32 = graph.add("Cast", lengths, to=TensorProto.INT32)
    for place, layer in enumerate(model.recurrent):
        x = _recurrent(graph, layer, _normalised(graph, model, place, x), lengths32)
    x = _normalised(graph, model, len(model.recurrent), x)
    parts = [_log_softmax(graph, x, layer.kernel) for layer in model.output_layers]
    log_probs = graph.add("Concat", *parts, axis=2) if len(parts) > 1 else parts[0]
    graph.add("Transpose", log_probs, perm=[1, 0, 2], output="log_probs")
    graph.add("Identity", lengths, output="log_prob_lengths")
    return _checked(graph, model)


def _checked(graph: _Graph, model: AcousticModel) -> onnx.ModelProto:
    options: dict[str, Any] = model.options
    features, labels = options["num_features"], options["vocabulary_size"] + options.get("phones", 0)
    value = helper.make_tensor_value_info
    proto = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "acoustic_model",
            [
                value("features", TensorProto.FLOAT, ["batch", "frames", features]),
                value("feature_lengths", TensorProto.INT64, ["batch"]),
            ],
            [
                value("log_probs", TensorProto.FLOAT, ["batch", "output_frames", labels]),
                value("log_prob_lengths", TensorProto.INT64, ["batch"]),
            ],
            graph.arrays,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="asr",
    )
    onnx.checker.check_model(proto, full_check=True)
    return proto


def _convolution(graph: _Graph, layer: MaskedConv, x: str, lengths: str) -> str:
    """(B, C, T, F), (B,) → (B, filters, T', F'); frames beyond the length are zeroed first."""
    time, frequency = (k // 2 for k in layer.kernel)
    return graph.add(
        "Relu",
        graph.add(
            "Conv",
            graph.add("Mul", x, _mask(graph, x, lengths)),
            graph.array(np.asarray(layer.weight).transpose(3, 2, 0, 1)),
            graph.array(layer.bias),
            strides=layer.stride,
            pads=[time, frequency, time, frequency],
        ),
    )


def _log_softmax(graph: _Graph, x: str, weights: Any) -> str:
    """(T, B, C) → (T, B, labels), each row a distribution."""
    return graph.add("LogSoftmax", graph.add("MatMul", x, graph.array(weights)), axis=-1)


def _mask(graph: _Graph, x: str, lengths: str) -> str:
    """(B, 1, T, 1): one within the length, zero beyond."""
    frames = graph.add("Squeeze", graph.add("Shape", x, start=2, end=3))
    number = graph.add("Range", graph.scalar(0), frames, graph.scalar(1))
    within = graph.add("Less", number, graph.add("Unsqueeze", lengths, graph.integers(1)))
    as_float = graph.add("Cast", within, to=TensorProto.FLOAT)
    return graph.add("Unsqueeze", as_float, graph.integers(1, 3))


def _shortened(graph: _Graph, layer: MaskedConv, lengths: str) -> str:
    """Frames out for frames in, ``ceil(length / stride)``."""
    stride = layer.stride[0]
    return graph.add("Div", graph.add("Add", lengths, graph.scalar(stride - 1)), graph.scalar(stride))


def _time_first(graph: _Graph, model: AcousticModel, x: str) -> str:
    """(B, C, T, F) → (T, B, F·C), the channels of one frequency together, as the model flattens them."""
    width = model.recurrent[0].kernel.shape[1]
    return graph.add("Reshape", graph.add("Transpose", x, perm=[2, 0, 3, 1]), graph.integers(0, 0, width))


def _normalised(graph: _Graph, model: AcousticModel, place: int, x: str) -> str:
    if not model.norms:
        return x
    norm = model.norms[place]
    arrays = [graph.array(norm.gamma), graph.array(norm.beta)]
    return graph.add("LayerNormalization", x, *arrays, axis=-1, epsilon=norm.epsilon)


def _recurrent(graph: _Graph, layer: Recurrent, x: str, lengths: str) -> str:
    """(T, B, F), (B,) → (T, B, D·H), each direction within each utterance's own length."""
    operator, attributes = recurrent_node.operator(layer)
    weights = [graph.array(a) for a in recurrent_node.weights(layer)]
    states = graph.add(operator, x, *weights, lengths, **attributes)
    return graph.add(
        "Reshape",
        graph.add("Transpose", states, perm=[0, 2, 1, 3]),
        graph.integers(0, 0, layer.directions * layer.units),
    )
