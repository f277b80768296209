"""The exported graph gives the trained model's log-probabilities, whatever an utterance is batched with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from asr.export.onnx_graph import IR_VERSION, OPSET, to_onnx
from asr.export.parity import batch_log_probs
from asr.export.recurrent_node import operator
from asr.inference.acoustic_session import AcousticSession
from asr.models import CELLS, Recurrent
from asr.onnx_runtime import import_onnxruntime

from .conftest import CONVOLUTION


def saved(model: Any, folder: Path) -> Path:
    onnx.save(to_onnx(model), folder / "m.onnx")
    return folder / "m.onnx"


@pytest.mark.parametrize("layer_norm", [True, False], ids=["layer_norm", ""])
@pytest.mark.parametrize("convolution", [[], CONVOLUTION], ids=["", "convolution"])
@pytest.mark.parametrize("bidirectional", [True, False], ids=["bidirectional", "forward"])
@pytest.mark.parametrize("cell", CELLS)
def test_log_probs_are_the_trained_models(
    cell: str, bidirectional: bool, convolution: list, layer_norm: bool, make_model: Callable, features: list,
    keras_log_probs: Callable, tmp_path: Path,
) -> None:  # fmt: skip
    model = make_model(cell, bidirectional=bidirectional, convolution=convolution, layer_norm=layer_norm)
    path = saved(model, tmp_path)
    alone = AcousticSession(path, 7)
    for x, in_batch in zip(features, batch_log_probs(path, features), strict=True):
        trained = keras_log_probs(model, x)
        np.testing.assert_allclose(alone.log_probs(x).characters, trained, atol=1e-4)
        np.testing.assert_allclose(in_batch, trained, atol=1e-4)


@pytest.mark.parametrize("convolution", [[], CONVOLUTION], ids=["", "convolution"])
def test_phones_stand_beside_the_characters_each_a_distribution(
    convolution: list, make_model: Callable, features: list, keras_log_probs: Callable, tmp_path: Path
) -> None:
    model = make_model(convolution=convolution, phones=4)
    for x, found in zip(features, batch_log_probs(saved(model, tmp_path), features), strict=True):
        np.testing.assert_allclose(found, keras_log_probs(model, x), atol=1e-4)
        np.testing.assert_allclose(found, model.log_probs(x[None], np.array([len(x)], np.int32))[0], atol=1e-4)
        for part in (found[:, :7], found[:, 7:]):
            np.testing.assert_allclose(np.exp(part).sum(axis=1), 1, atol=1e-5)
        assert found.shape[1] == 7 + 4


@pytest.mark.parametrize("cell", CELLS)
def test_recurrent_layers_are_native_operators(cell: str, make_model: Callable) -> None:
    operators = [node.op_type for node in to_onnx(make_model(cell)).graph.node]
    assert operators.count(CELLS[cell].onnx.operator) == 2
    assert not {"Loop", "Scan"} & set(operators)


@pytest.mark.parametrize(("bidirectional", "activations"), [(False, ["Relu"]), (True, ["Relu", "Relu"])])
def test_lists_among_an_operators_attributes_are_of_each_direction(bidirectional: bool, activations: list) -> None:
    layer = Recurrent(4, cell="rnn", bidirectional=bidirectional)
    layer.spec = replace(layer.spec, onnx=replace(layer.spec.onnx, attributes={"activations": ["Relu"]}))
    assert operator(layer)[1]["activations"] == activations


@pytest.mark.parametrize("convolution", [[], CONVOLUTION], ids=["", "convolution"])
def test_lengths_are_the_models_and_padding_is_finite(convolution: list, make_model: Callable, tmp_path: Path) -> None:
    model = make_model(convolution=convolution)
    onnx.save(to_onnx(model), tmp_path / "m.onnx")
    lengths = np.arange(1, 15)
    inputs = {"features": np.ones((14, 20, 12), np.float32), "feature_lengths": lengths}
    runtime = import_onnxruntime().InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    log_probs, out_lengths = runtime.run(["log_probs", "log_prob_lengths"], inputs)
    np.testing.assert_array_equal(out_lengths, model.output_lengths(lengths))
    assert log_probs.shape == (14, model.output_lengths(20), 7)
    assert np.isfinite(log_probs).all()
    np.testing.assert_allclose(np.exp(log_probs).sum(-1), 1, atol=1e-5)


def test_old_runtimes_read_it(make_model: Callable) -> None:
    """ONNX Runtime 1.24.4, the oldest allowed, reads IR version 10 and opset 21, as older ones did."""
    model = to_onnx(make_model())
    assert (model.ir_version, [o.version for o in model.opset_import]) == (IR_VERSION, [OPSET])
    assert IR_VERSION <= 10 and OPSET <= 21


def test_the_same_model_gives_the_same_bytes(make_model: Callable) -> None:
    model = make_model()
    assert to_onnx(model).SerializeToString() == to_onnx(model).SerializeToString()
