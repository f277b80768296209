"""The weights of an exported graph, read back: those of the model, or within half a step of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from asr.errors import ExportError
from asr.export.int8 import quantise
from asr.export.onnx_graph import to_onnx
from asr.export.onnx_weights import read_weights
from asr.models import CELLS, AcousticModel

from .conftest import CONVOLUTION


def empty(model: AcousticModel, **changes: object) -> AcousticModel:
    """Another model of the same options, its weights its own."""
    return AcousticModel(**(model.options | changes))


@pytest.mark.parametrize("layer_norm", [True, False], ids=["layer_norm", ""])
@pytest.mark.parametrize("convolution", [[], CONVOLUTION], ids=["", "convolution"])
@pytest.mark.parametrize("bidirectional", [True, False], ids=["bidirectional", "forward"])
@pytest.mark.parametrize("cell", CELLS)
def test_float32_weights_are_the_models(
    cell: str, bidirectional: bool, convolution: list, layer_norm: bool, make_model: Callable
) -> None:
    model = make_model(cell, bidirectional=bidirectional, convolution=convolution, layer_norm=layer_norm)
    read_weights(to_onnx(model).graph, other := empty(model))
    for ours, theirs in zip(other.trainable_variables, model.trainable_variables, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-7)


@pytest.mark.parametrize("cell", CELLS)
def test_int8_weights_are_within_half_a_step(cell: str, make_model: Callable, tmp_path: Path) -> None:
    model = make_model(cell, units=(16, 16))
    onnx.save(to_onnx(model), tmp_path / "float32.onnx")
    quantise(tmp_path / "float32.onnx", tmp_path / "int8.onnx")
    read_weights(onnx.load(tmp_path / "int8.onnx").graph, other := empty(model))
    for ours, theirs in zip(other.trainable_variables, model.trainable_variables, strict=True):
        largest = np.abs(theirs.numpy()).max()
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=largest / 64)


@pytest.mark.parametrize("layer_norm", [True, False], ids=["layer_norm", ""])
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_weights_of_phones_are_among_them(
    precision: str, layer_norm: bool, make_model: Callable, tmp_path: Path
) -> None:
    model = make_model(units=(16, 16), layer_norm=layer_norm, phones=9)
    onnx.save(to_onnx(model), tmp_path / "float32.onnx")
    quantise(tmp_path / "float32.onnx", tmp_path / "int8.onnx")
    read_weights(onnx.load(tmp_path / f"{precision}.onnx").graph, other := empty(model))
    assert other.phone_layer.kernel.shape == (32, 9)
    for ours, theirs in zip(other.trainable_variables, model.trainable_variables, strict=True):
        step = np.abs(theirs.numpy()).max() / 64 if precision == "int8" else 1e-7
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=step)


@pytest.mark.parametrize(("there", "here"), [(4, 0), (0, 4), (4, 5)])
def test_a_graph_of_other_phones_is_refused(there: int, here: int, make_model: Callable) -> None:
    model = make_model(phones=there)
    with pytest.raises(ExportError, match="not the export of a model with these options"):
        read_weights(to_onnx(model).graph, empty(model, phones=here))


@pytest.mark.parametrize("changes", [{"units": [6]}, {"units": [6, 5]}, {"cell": "gru"}, {"convolution": []}])
def test_another_models_graph_is_refused(changes: dict, make_model: Callable) -> None:
    model = make_model()
    with pytest.raises(ExportError, match="not the export of a model with these options"):
        read_weights(to_onnx(model).graph, empty(model, **changes))
