"""A graph that says something else than the trained model is found, with the utterance that shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from asr.arrays import LogProbs
from asr.data import Utterance
from asr.errors import BundleCorruptError, ParityError
from asr.export.onnx_graph import to_onnx
from asr.export.parity import check_parity, difference
from asr.training.dataset import Example
from asr.training.evaluate import log_probs


def example(name: str, features: np.ndarray) -> Example:
    return Example(Utterance(name, "/x.wav", len(features) / 100, "", name), features, np.zeros(0, np.int32))


@pytest.fixture
def examples(features: list) -> list[Example]:
    return [example(f"u{i}", x) for i, x in enumerate(features)]


@pytest.fixture
def trained(make_model: Callable, examples: list) -> tuple[Any, dict[int, LogProbs]]:
    model = make_model()
    return to_onnx(model), dict(log_probs(model, examples))


def saved(proto: Any, folder: Path) -> Path:
    onnx.save(proto, folder / "float32.onnx")
    return folder / "float32.onnx"


def wreck(proto: Any, operator: str, place: int, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Change input ``place`` of the first node of this kind."""
    name = next(n for n in proto.graph.node if n.op_type == operator).input[place]
    array = next(a for a in proto.graph.initializer if a.name == name)
    array.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(array)).astype(np.float32), name))


def test_a_true_export_passes(trained: tuple, examples: list, tmp_path: Path) -> None:
    proto, expected = trained
    found = check_parity(expected, saved(proto, tmp_path), examples)
    assert found.largest < 1e-4
    assert found.utterances == 5


WRECKS = {
    "gates in another order": ("LSTM", 1, lambda w: np.roll(w, w.shape[1] // 4, axis=1)),
    "directions swapped": ("LSTM", 2, lambda r: r[::-1]),
    "no bias": ("LSTM", 3, lambda b: 0 * b),
    "one output weight": ("MatMul", 1, lambda w: w + 0.1 * (np.arange(w.size).reshape(w.shape) == 0)),
}


def test_outputs_that_are_no_numbers_are_found(trained: tuple, examples: list, tmp_path: Path) -> None:
    proto, expected = trained
    wreck(proto, "MatMul", 1, lambda w: w * np.nan)
    with pytest.raises(BundleCorruptError, match="some of its outputs are not logarithms of probabilities"):
        check_parity(expected, saved(proto, tmp_path), examples)


@pytest.mark.parametrize("fault", WRECKS)
def test_a_wrecked_weight_is_found(fault: str, trained: tuple, examples: list, tmp_path: Path) -> None:
    proto, expected = trained
    wreck(proto, *WRECKS[fault])
    with pytest.raises(ParityError, match=r"differ by .* in a log-probability of u\d, more than 0.001"):
        check_parity(expected, saved(proto, tmp_path), examples)


def test_a_wrecked_weight_of_the_phones_is_found(make_model: Callable, examples: list, tmp_path: Path) -> None:
    model = make_model(phones=4)
    proto, expected = to_onnx(model), dict(log_probs(model, examples))
    assert check_parity(expected, saved(proto, tmp_path), examples).largest < 1e-4
    *_, name = (node.input[1] for node in proto.graph.node if node.op_type == "MatMul")
    array = next(a for a in proto.graph.initializer if a.name == name)
    array.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(array)[:, ::-1].copy(), name))
    with pytest.raises(ParityError):
        check_parity(expected, saved(proto, tmp_path), examples)


def test_the_worst_utterance_is_named(trained: tuple, examples: list, tmp_path: Path) -> None:
    proto, expected = trained
    expected[2] = LogProbs(expected[2].characters + np.float32(0.5))
    found = difference(expected, saved(proto, tmp_path), examples)
    assert found.utterance == "u2"
    assert found.largest == pytest.approx(0.5, abs=1e-4)


def test_a_fault_that_only_a_batch_shows_is_found(trained: tuple, examples: list, tmp_path: Path) -> None:
    """Without its lengths, the backward direction starts in the padding."""
    proto, expected = trained
    next(n for n in proto.graph.node if n.op_type == "LSTM").input[4] = ""
    path = saved(proto, tmp_path)
    assert difference({0: expected[0]}, path, examples[:1]).largest < 1e-4
    with pytest.raises(ParityError):
        check_parity(expected, path, examples)


def test_other_frames_are_refused(trained: tuple, examples: list, tmp_path: Path) -> None:
    proto, expected = trained
    expected[3] = expected[3].between(1)
    with pytest.raises(
        ParityError, match=r"u3: of characters the exported model gives \(3, 7\), the trained one \(2, 7\)"
    ):
        check_parity(expected, saved(proto, tmp_path), examples)


@pytest.mark.real_data
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_real_recordings(cell: str, make_model: Callable, real_data: Path, tmp_path: Path) -> None:
    from asr.features import LogMel, UtteranceCmvn
    from asr.training.dataset import compute_features

    paths = sorted((real_data / "an4" / "wav").rglob("*.*"))[:600:200]
    utterances = [Utterance(p.stem, str(p), 1.0, "", p.stem) for p in paths]
    features = compute_features(utterances, LogMel().front_end())
    examples = [example(u.id, UtteranceCmvn()(f)) for u, f in zip(utterances, features, strict=True)]
    model = make_model(cell, num_features=40, units=(64, 64))
    path = saved(to_onnx(model), tmp_path)
    assert check_parity(dict(log_probs(model, examples)), path, examples).largest < 1e-4
