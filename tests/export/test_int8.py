"""Weights in 8 bits: a fourth of the bytes, nearly the same log-probabilities."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from asr.export.int8 import quantise
from asr.export.onnx_graph import to_onnx
from asr.inference.acoustic_session import AcousticSession


@pytest.fixture
def export(tmp_path: Path) -> Callable[[Any], tuple[Path, Path]]:
    def write(model: Any) -> tuple[Path, Path]:
        float32, int8 = tmp_path / "float32.onnx", tmp_path / "int8.onnx"
        onnx.save(to_onnx(model), float32)
        quantise(float32, int8)
        return float32, int8

    return write


@pytest.fixture
def lstm(make_model: Callable) -> Any:
    return make_model("lstm", units=(64, 64, 64), convolution=[])


def test_lstm_models_shrink_to_little_over_a_fourth(lstm: Any, export: Callable) -> None:
    float32, int8 = export(lstm)
    operators = {node.op_type for node in onnx.load(int8).graph.node}
    assert {"DynamicQuantizeLSTM", "MatMulInteger"} <= operators
    assert not {"LSTM", "MatMul"} & operators
    assert int8.stat().st_size < 0.3 * float32.stat().st_size


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_other_cells_stay_float(cell: str, make_model: Callable, export: Callable) -> None:
    _, int8 = export(make_model(cell))
    assert cell.upper() in {node.op_type for node in onnx.load(int8).graph.node}


def test_log_probs_stay_near(lstm: Any, export: Callable) -> None:
    float32, int8 = (AcousticSession(path, 7) for path in export(lstm))
    rng = np.random.default_rng(0)
    features = [rng.normal(size=(frames, 12)).astype(np.float32) for frames in (100, 1, 40)]
    for one in features:
        np.testing.assert_allclose(int8.log_probs(one).characters, float32.log_probs(one).characters, atol=0.1)


def test_products_fit_16_bits_where_pairs_are_added(lstm: Any, export: Callable) -> None:
    """Without VNNI, x86 adds two products of an input (0 to 255) and a weight in 16 bits, and saturates."""
    _, int8 = export(lstm)
    weights = [numpy_helper.to_array(a) for a in onnx.load(int8).graph.initializer if a.data_type == TensorProto.INT8]
    largest = max(np.abs(w.astype(int)).max() for w in weights)
    assert largest > 60
    assert 2 * 255 * largest < 2**15


def test_nothing_is_said(lstm: Any, export: Callable, caplog: Any, capfd: Any) -> None:
    export(lstm)
    assert not caplog.records
    assert capfd.readouterr() == ("", "")
    logging.getLogger("asr.test").warning("still heard")
    assert [r.message for r in caplog.records] == ["still heard"]
