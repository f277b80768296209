"""Mixed precision: nearly float32's figures, float32's weights, and an overflow that costs a step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from asr.cli.train import run_configured
from asr.data import Utterance
from asr.errors import TrainingError
from asr.export import export_bundle
from asr.models import AcousticModel
from asr.options import OptimizerOptions, TrainerOptions
from asr.text import Vocabulary
from asr.training import Trainer, load_trained, precision
from asr.training.checkpoint import load_arrays, load_checkpoint
from asr.training.dataset import Batch, Example, TrainingSet, collate
from asr.training.distribution import Devices
from asr.training.precision import LossScale
from asr.training.step import TrainStep

VOCABULARY = Vocabulary(("A", "B"))
MIXED = ("mixed_bfloat16", "mixed_float16")
CONVOLUTION = ({"filters": 2, "kernel": [3, 3], "stride": [2, 2]},)


def example(frames: int, text: str = "AB") -> Example:
    features = np.random.default_rng(frames).normal(size=(frames, 4)).astype(np.float32)
    return Example(Utterance(f"u{frames}", "x.wav", 1.0, text, "s"), features, VOCABULARY.encode(text))


def batch() -> Batch:
    return collate([example(12), example(9)])


def make(kind: str, cell: str = "gru") -> TrainStep:
    """A step for a model whose weights do not depend on ``kind``."""
    rng = np.random.default_rng(0)
    model = AcousticModel(4, len(VOCABULARY), cell=cell, units=[5], convolution=CONVOLUTION, dtype=kind)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(0, 0.5, variable.shape))
    return TrainStep(model, optimizer=OptimizerOptions(0.1), clip_norm=1.0, precision=kind, devices=Devices())


# The network.


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("kind", MIXED)
def test_a_step_is_nearly_float32s(kind: str, cell: str) -> None:
    """bfloat16 has eight bits of mantissa, float16 eleven."""
    loss, norm = make("float32", cell)(batch(), 0.01)
    assert make(kind, cell)(batch(), 0.01) == pytest.approx((loss, norm), rel=0.02)


@pytest.mark.parametrize("kind", MIXED)
def test_weights_moments_and_logits_are_float32_and_only_the_products_are_not(kind: str) -> None:
    step = make(kind)
    content = batch()
    assert {v.dtype for v in step.model.trainable_variables} == {"float32"}
    assert {v.dtype for v in step.optimizer.variables} - {"int64", "int32"} == {"float32"}
    assert step.model(content.features, lengths=content.feature_lengths).dtype == "float32"
    assert {layer.compute_dtype for layer in step.model.recurrent} == {kind[6:]}
    assert {layer.compute_dtype for layer in step.model.convolutions} == {"float32"}, "they are slow otherwise on a CPU"


def test_the_options_of_a_model_do_not_hold_its_precision() -> None:
    assert make("mixed_float16").model.options == make("float32").model.options


# The loss scale.


def learnt(*finite: bool) -> list[float]:
    """The scale after each step of some that were finite or not, in units of the first scale."""
    scale = LossScale()
    start = scale.value.numpy()
    values = []
    for step in finite:
        scale.learn(step)
        values.append(float(scale.value.numpy() / start))
    return values


def test_the_scale_halves_at_an_overflow_and_doubles_after_enough_good_steps_in_a_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(precision, "PATIENCE", 3)
    assert learnt(True, True, False, True, True, True, True) == [1, 1, 0.5, 0.5, 0.5, 1, 1]


def test_it_is_used_up_below_one() -> None:
    scale = LossScale()
    overflows = 0
    while not scale.used_up:
        scale.learn(False)
        overflows += 1
    assert overflows == 16


@pytest.mark.parametrize("kind", ["float32", "mixed_bfloat16"])
def test_only_float16_has_one(kind: str) -> None:
    assert make(kind).loss_scale is None
    assert not [name for name in make(kind).variables if name.startswith("loss_scale")]


def test_an_overflow_skips_the_step_and_the_next_one_goes_on() -> None:
    step = make("mixed_float16")
    step.loss_scale.value.assign(3e38)
    before = [w.numpy() for w in step.model.trainable_variables]

    def changed() -> bool:
        return any(np.any(b != w.numpy()) for b, w in zip(before, step.model.trainable_variables, strict=True))

    loss, norm = step(batch(), 0.01)
    assert np.isfinite(loss) and not np.isfinite(norm)
    assert not changed() and step.optimizer.iterations == 0
    assert step.loss_scale.value.numpy() == np.float32(1.5e38)
    step.loss_scale.value.assign(8)
    assert np.isfinite(step(batch(), 0.01)).all()
    assert changed() and step.optimizer.iterations == 1


def trainer(folder: Path) -> Trainer:
    """One batch an epoch, in float16."""
    step = make("mixed_float16")
    return Trainer(
        step.model,
        TrainingSet([example(12)], 1e6, 0, (), [0]),
        [],
        VOCABULARY,
        folder,
        options=TrainerOptions(epochs=4, precision="mixed_float16", max_minutes=0),
        optimizer=OptimizerOptions(0.1),
    )


def test_a_checkpoint_holds_the_scale(tmp_path: Path) -> None:
    run = trainer(tmp_path)
    run._step.loss_scale.value.assign(3e38)
    assert run.fit() == "minutes"
    assert load_checkpoint(tmp_path / "checkpoints").arrays["loss_scale/000"] == np.float32(1.5e38)
    assert trainer(tmp_path)._step.loss_scale.value.numpy() == np.float32(1.5e38)


def test_gradients_that_overflow_without_any_scale_end_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trainer(tmp_path)
    run._step.loss_scale.value.assign(2)
    monkeypatch.setattr(TrainStep, "_gradients", overflowing(TrainStep._gradients))
    assert run.fit() == "minutes"
    with pytest.raises(TrainingError, match=r"epoch 2, step 1: loss .*, gradient norm inf; lower optimizer"):
        run.fit()


def overflowing(gradients: Callable[..., tuple]) -> Callable[..., tuple]:
    def with_infinite_norm(self: TrainStep, *content: object) -> tuple:
        loss, norm, found = gradients(self, *content)
        return loss, norm * np.inf, found

    return with_infinite_norm


# A whole run.


@pytest.mark.parametrize("kind", MIXED)
def test_a_model_trained_in_mixed_precision_is_exported_as_float32(
    tones: SimpleNamespace, corpus: Path, tmp_path: Path, kind: str
) -> None:
    """Export compares the ONNX model with the trained one, in float32, and refuses a difference."""
    folder = tmp_path / "run"
    run_configured(folder, tones.tree(corpus, folder, trainer={"precision": kind}), [])
    model = load_trained(folder).model
    assert model.compute_dtype == "float32"
    for name, array in load_arrays(folder / "final.npz").items():
        assert array.dtype != np.float16
        assert np.array_equal(array, model.variables[int(name)].numpy())
    export_bundle(folder, tmp_path / "bundle", precisions=["float32"])
