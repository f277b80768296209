"""The acoustic model as an ONNX graph of native operators, for which ONNX Runtime has fast kernels.

``features`` (B, T, F) float32, ``feature_lengths`` (B,) int64 → ``log_probs`` (B, T', V + P) float32,
``log_prob_lengths`` (B,) int64; B and T are free. Rows beyond an utterance's length are finite but meaningless.
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
"""The first opset with LayerNormalization. ONNX Runtime reads it and ``IR_VERSION`` from version 1.13 on."""

IR_VERSION = 8


class _Graph:
    """The nodes and arrays of a graph being built; names are numbered, so the same model gives the same bytes."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.arrays: list[onnx.TensorProto] = []

    def array(self, values: Any, dtype: Any = np.float32) -> str:
        """Add an array and return its name."""
        name = f"array_{len(self.arrays)}"
        self.arrays.append(numpy_helper.from_array(np.asarray(values, dtype, order="C"), name))
        return name

    def integers(self, *values: int) -> str:
        """Add a vector of int64 and return its name."""
        return self.array(values, np.int64)

    def scalar(self, value: int) -> str:
        """Add an int64 and return its name."""
        return self.array(value, np.int64)

    def add(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Append a node and return the name of its first output."""
        name = f"{operator}_{len(self.nodes)}"
        output = output or name
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name=name, **attributes))
        return output


def to_onnx(model: AcousticModel) -> onnx.ModelProto:
    """Return the graph of ``model`` with its weights, after ONNX' own checker has accepted it."""
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
    """Add a convolution, (B, C, T, F), (B,) → (B, filters, T', F'); it first sets frames beyond the length to zero."""
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
    """Add a linear layer and log-softmax, (T, B, C) → (T, B, labels); each row is a distribution."""
    return graph.add("LogSoftmax", graph.add("MatMul", x, graph.array(weights)), axis=-1)


def _mask(graph: _Graph, x: str, lengths: str) -> str:
    """Add a mask (B, 1, T, 1), which is one within the length and zero beyond it."""
    frames = graph.add("Squeeze", graph.add("Shape", x, start=2, end=3))
    number = graph.add("Range", graph.scalar(0), frames, graph.scalar(1))
    within = graph.add("Less", number, graph.add("Unsqueeze", lengths, graph.integers(1)))
    as_float = graph.add("Cast", within, to=TensorProto.FLOAT)
    return graph.add("Unsqueeze", as_float, graph.integers(1, 3))


def _shortened(graph: _Graph, layer: MaskedConv, lengths: str) -> str:
    """Add the number of output frames for a number of input frames, ``ceil(length / stride)``."""
    stride = layer.stride[0]
    return graph.add("Div", graph.add("Add", lengths, graph.scalar(stride - 1)), graph.scalar(stride))


def _time_first(graph: _Graph, model: AcousticModel, x: str) -> str:
    """Add a reordering, (B, C, T, F) → (T, B, F·C), with a frequency's channels together, as in the model."""
    width = model.recurrent[0].kernel.shape[1]
    return graph.add("Reshape", graph.add("Transpose", x, perm=[2, 0, 3, 1]), graph.integers(0, 0, width))


def _normalised(graph: _Graph, model: AcousticModel, place: int, x: str) -> str:
    if not model.norms:
        return x
    norm = model.norms[place]
    arrays = [graph.array(norm.gamma), graph.array(norm.beta)]
    return graph.add("LayerNormalization", x, *arrays, axis=-1, epsilon=norm.epsilon)


def _recurrent(graph: _Graph, layer: Recurrent, x: str, lengths: str) -> str:
    """Add a recurrent layer, (T, B, F), (B,) → (T, B, D·H), whose directions stay within each utterance's length."""
    operator, attributes = recurrent_node.operator(layer)
    weights = [graph.array(a) for a in recurrent_node.weights(layer)]
    states = graph.add(operator, x, *weights, lengths, **attributes)
    return graph.add(
        "Reshape",
        graph.add("Transpose", states, perm=[0, 2, 1, 3]),
        graph.integers(0, 0, layer.directions * layer.units),
    )
