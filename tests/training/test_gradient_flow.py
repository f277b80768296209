"""The gradient's norm by distance, against products of Jacobians and differences in float64."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from asr.data import Utterance
from asr.distribution import install_command
from asr.errors import ConfigError, MissingExtraError
from asr.models import CELLS, AcousticModel
from asr.training.dataset import Example
from asr.training.gradient_flow import (
    FRAME_MS,
    GradientFlow,
    gradient_norms,
    make_network,
    record_gradient_flow,
    units_for,
)
from asr.training.gradient_plot import draw_gradient_flow

F, H, V, K = 4, 3, 5, 6
LENGTHS = (7, 12)


def network(cell: str, seed: int = 0) -> AcousticModel:
    """With random weights and biases."""
    rng = np.random.default_rng(seed)
    model = AcousticModel(F, V, cell=cell, units=[H], bidirectional=False, layer_norm=False)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(0, 0.7, variable.shape))
    return model


def examples() -> list[Example]:
    """Of unequal lengths, so that one is padded."""
    rng = np.random.default_rng(1)
    utterance = Utterance("u", "u.wav", 1.0, "A", "s")
    return [
        Example(utterance, rng.normal(size=(n, F)).astype(np.float32), np.array([1, 2 + i], np.int32))
        for i, n in enumerate(LENGTHS)
    ]


# An implementation of its own: cells, loss, and what it loses when one state is moved.


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def rnn(x: np.ndarray, h: np.ndarray, c: np.ndarray, w: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return np.tanh(x @ w[0] + w[2] + h @ w[1]), c


def lstm(x: np.ndarray, h: np.ndarray, c: np.ndarray, w: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    i, f, g, o = np.split(x @ w[0] + w[2] + h @ w[1], 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru(x: np.ndarray, h: np.ndarray, c: np.ndarray, w: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    a_z, a_r, a_g = np.split(x @ w[0] + w[2], 3)
    b_z, b_r, b_g = np.split(h @ w[1] + w[3], 3)
    z = sigmoid(a_z + b_z)
    return z * h + (1 - z) * np.tanh(a_g + sigmoid(a_r + b_r) * b_g), c


STEPS: dict[str, Callable] = {"rnn": rnn, "lstm": lstm, "gru": gru}


def weights(model: AcousticModel) -> tuple[list[np.ndarray], np.ndarray]:
    """Those of the recurrent layer, and W_hy."""
    return [np.float64(w)[0] for w in model.recurrent[0].weights], np.float64(model.output_layer.kernel)


def loss(model: AcousticModel, cell: str, example: Example, frame: int, move: np.ndarray) -> float:
    """L_T where ``move`` is added to h at ``frame``."""
    recurrent, output = weights(model)
    h = c = np.zeros(H)
    for t, x in enumerate(np.float64(example.features)):
        h, c = STEPS[cell](x, h, c, recurrent)
        h = h + move * (t == frame)
    logits = h @ output
    return float(np.log(np.exp(logits).sum()) - logits[example.labels[-1]])


@pytest.mark.parametrize("cell", STEPS)
def test_norms_are_those_of_differences(cell: str) -> None:
    model, step = network(cell), 1e-6
    for example, norms in zip(examples(), gradient_norms(model, examples(), K), strict=True):
        for k in range(K + 1):
            frame = len(example.features) - 1 - k
            pairs = [[loss(model, cell, example, frame, s * step * axis) for s in (1, -1)] for axis in np.eye(H)]
            gradient = [(up - down) / (2 * step) for up, down in pairs]
            assert norms[k] == pytest.approx(np.linalg.norm(gradient), rel=1e-5, abs=1e-9)


def test_a_plain_rnns_gradient_is_a_product_of_jacobians() -> None:
    model = network("rnn")
    recurrent, output = weights(model)
    for example, norms in zip(examples(), gradient_norms(model, examples(), K), strict=True):
        states = [np.zeros(H)]
        for x in np.float64(example.features):
            states.append(rnn(x, states[-1], states[-1], recurrent)[0])
        p = np.exp(states[-1] @ output)
        gradient = output @ (p / p.sum() - np.eye(V)[example.labels[-1]])
        for k in range(K + 1):
            assert norms[k] == pytest.approx(np.linalg.norm(gradient), rel=1e-6)
            gradient = recurrent[1] @ np.diag(1 - states[-1 - k] ** 2) @ gradient


@pytest.mark.parametrize("scale", [0.5, 1.0])
def test_silence_through_a_scaled_identity_shrinks_by_the_scale_at_each_frame(scale: float) -> None:
    """h_t = tanh(s h_{t-1}) stays at zero, where tanh has slope one: a half vanishes, one does not."""
    model = network("rnn")
    layer = model.recurrent[0]
    layer.recurrent_kernel.assign(scale * np.eye(H)[None])
    layer.bias.assign(np.zeros((1, H)))
    silent = [Example(e.utterance, 0 * e.features, e.labels) for e in examples()]
    relative = GradientFlow("rnn", H, 0, 0, gradient_norms(model, silent, K)).relative()
    np.testing.assert_allclose(relative, scale ** np.arange(K + 1), rtol=1e-12)


def test_an_utterance_of_as_many_frames_as_the_reach_is_too_short_by_one(corpus: Path) -> None:
    manifest = str(corpus / "train.jsonl")
    options = {"epochs": 1, "parameters": 2000, "seed": 0}
    with pytest.raises(ConfigError, match=r"no utterance has more than 900 frames, the longest has \d\d;") as refused:
        next(record_gradient_flow([manifest], reach=900, **options))
    longest = int(str(refused.value).split("has ")[2].split(";")[0])
    with pytest.raises(ConfigError, match="no utterance"):
        next(record_gradient_flow([manifest], reach=longest, **options))
    assert next(record_gradient_flow([manifest], reach=longest - 1, **options)).norms.shape[1] == longest


# Widths.


@pytest.mark.parametrize("cell", STEPS)
def test_one_unit_more_would_be_too_many_parameters(cell: str) -> None:
    units = units_for(cell, 5000, 40, V)
    counts = [make_network(cell, u, V, 0).count_params() for u in (units, units + 1)]
    assert counts[0] <= 5000 < counts[1]


def test_too_few_parameters_for_a_unit_are_refused() -> None:
    """4 (40 + 1 + 1) weights and biases of the gates, 5 of the output."""
    assert units_for("lstm", 173, 40, V) == 1
    with pytest.raises(ConfigError, match="172 parameters make no lstm of one unit, which has 173"):
        units_for("lstm", 172, 40, V)


# All of it, on the tones.


@pytest.fixture(scope="module")
def flows(corpus: Path) -> list[GradientFlow]:
    return list(record_gradient_flow([str(corpus / "train.jsonl")], epochs=2, parameters=2000, reach=20, seed=0))


def test_each_cell_before_and_after(flows: list[GradientFlow]) -> None:
    assert [(f.cell, f.epochs) for f in flows] == [(c, e) for c in CELLS for e in (0, 2)]
    for before, after in zip(flows[::2], flows[1::2], strict=True):
        assert before.norms.shape == after.norms.shape == (20, 21)
        assert np.all(before.norms > 0) and np.all(before.norms != after.norms)
        assert 1800 < before.parameters == after.parameters <= 2000


def test_the_same_seed_gives_the_same_numbers(flows: list[GradientFlow], corpus: Path) -> None:
    again = next(record_gradient_flow([str(corpus / "train.jsonl")], epochs=2, parameters=2000, reach=20, seed=0))
    np.testing.assert_array_equal(again.norms, flows[0].norms)


def test_a_fall_that_never_comes_has_no_distance() -> None:
    flow = GradientFlow("gru", 1, 1, 0, np.array([[4.0, 2.0, 1.0]]))
    assert (flow.reach(fall=2), flow.reach(fall=3), flow.reach(fall=4)) == (2, 2, None)


# The picture.


def test_the_same_numbers_give_the_same_picture(flows: list[GradientFlow], tmp_path: Path) -> None:
    for name in ("one.svg", "other.svg", "picture.png"):
        draw_gradient_flow(flows, tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_a_frame_is_ten_milliseconds() -> None:
    assert FRAME_MS == 10


def test_without_matplotlib_it_says_what_to_install(flows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=re.escape(f"drawing needs matplotlib; {install_command('train')}")):
        draw_gradient_flow(flows, tmp_path / "picture.svg")
