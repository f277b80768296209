"""The loop: it learns, it stops when told to, and a run that was stopped ends as one that was not."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from asr.cli.train import run_configured
from asr.data import Utterance
from asr.errors import CheckpointError, TrainingError
from asr.models import AcousticModel
from asr.options import OptimizerOptions, TrainerOptions
from asr.text import Vocabulary
from asr.training import Trainer, trainer
from asr.training.checkpoint import load_arrays, load_checkpoint
from asr.training.dataset import Example, TrainingSet
from asr.training.evaluate import DevScore
from asr.training.reports import EpochReport, StepReport
from asr.training.step import TrainStep


class Witness:
    """Observer that keeps all it is told, and may do something at a step."""

    def __init__(self, at_step: Callable[[StepReport], None] = lambda report: None) -> None:
        self.steps: list[StepReport] = []
        self.epochs: list[EpochReport] = []
        self.at_step = at_step

    def on_step(self, report: StepReport) -> None:
        self.steps.append(report)
        self.at_step(report)

    def on_epoch(self, report: EpochReport) -> None:
        self.epochs.append(report)


def ctrl_c(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGINT)


# The real thing: a corpus of tones.


def test_it_learns_tones_without_a_mistake(trained: Path) -> None:
    final = json.loads((trained / "final.json").read_text())
    assert (final["dev"]["wer"], final["dev"]["cer"], final["epochs"]) == (0, 0, 25)


def test_a_run_stopped_within_epochs_ends_with_the_bits_of_one_that_was_not(
    tones: SimpleNamespace, corpus: Path, tmp_path: Path
) -> None:
    """Dropout, copies, stretching and masks on; three steps an epoch, stopped after the first, third and fifth."""

    def run(name: str, stops: Sequence[int]) -> list[Witness]:
        witnesses, folder = [], tmp_path / name
        copies = {"copies": 2, "speed": 0.1}
        tree = tones.tree(corpus, folder, augment=copies, trainer={"average": 2, "average_of": "last"})
        for _ in range(1 + len(stops)):
            witnesses.append(Witness(lambda r: ctrl_c() if r.total_steps in stops else None))
            try:
                run_configured(folder, tree, [witnesses[-1]])
            except KeyboardInterrupt:
                continue
        return witnesses

    (whole,) = run("whole", [])
    parts = run("parts", [1, 3, 5])
    assert [len(w.steps) for w in parts] == [1, 2, 2, 1]
    assert [s.loss for w in parts for s in w.steps] == [s.loss for s in whole.steps]
    assert [(e.epoch, e.loss, e.dev) for w in parts for e in w.epochs] == [
        (e.epoch, e.loss, e.dev) for e in whole.epochs
    ]
    for read in (lambda f: load_arrays(f / "final.npz"), lambda f: load_checkpoint(f / "checkpoints").arrays):
        one, other = read(tmp_path / "whole"), read(tmp_path / "parts")
        assert one.keys() == other.keys()
        assert all(np.array_equal(one[name], other[name]) for name in one)


# The rest with a step of ours: each adds one to every weight, and the dev set's errors are given.

REAL_APPLY = Trainer._apply
FRAMES, STEPS = 8, 3
VOCABULARY = Vocabulary(("A", "B"))


def example(identity: str, text: str = "AB") -> Example:
    features = np.random.default_rng(len(identity)).normal(size=(FRAMES, 4)).astype(np.float32)
    return Example(Utterance(identity, "x.wav", 1.0, text, "s"), features, VOCABULARY.encode(text))


@pytest.fixture(scope="module")
def model() -> AcousticModel:
    return AcousticModel(4, len(VOCABULARY), cell="rnn", units=[2])


@pytest.fixture
def make(model: AcousticModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Trainer]:
    """A trainer of three steps an epoch whose weights start at zero and count the steps."""

    def apply(self: Trainer, batch: object, rate: float) -> tuple[float, float]:
        for variable in self.model.trainable_variables:
            variable.assign_add(np.ones(variable.shape))
        return float(self.position.total_steps), rate

    def made(*, wers: Sequence[float] = (), witness: Witness | None = None, **options: Any) -> Trainer:
        def score(model: AcousticModel, dev: object, vocabulary: object, pause: Callable[[], None]) -> DevScore:
            pause()
            epoch = round(float(model.trainable_variables[0].numpy().flat[0]) / STEPS)
            return DevScore(wers[epoch - 1], wers[epoch - 1], ())

        monkeypatch.setattr(Trainer, "_apply", apply)
        monkeypatch.setattr(trainer, "score", score)
        for variable in model.variables:
            variable.assign(np.zeros(variable.shape))
        examples = [example(f"u{i}") for i in range(STEPS)]
        return Trainer(
            model,
            TrainingSet(examples, 1.0, 0, (), [0] * STEPS),
            [example("dev")] if wers else [],
            VOCABULARY,
            tmp_path,
            options=TrainerOptions(**{"epochs": 4, "average": 1} | options),
            optimizer=OptimizerOptions(0.1),
            observers=[witness] if witness else [],
        )

    return made


def final_steps(folder: Path) -> float:
    """What the final weights are: the number of steps they have seen, or the mean of several numbers."""
    arrays = load_arrays(folder / "final.npz")
    values = {float(v) for a in arrays.values() for v in a.flat}
    assert len(values) == 1
    return values.pop()


def averaged(folder: Path) -> list[int]:
    return json.loads((folder / "final.json").read_text())["averaged_epochs"]


def test_the_best_epochs_are_averaged_and_only_their_weights_kept(make: Callable[..., Trainer], tmp_path: Path) -> None:
    """Epochs 2, 3 and 1 are the best; their mean is that of 6, 9 and 3 steps, which scores as epoch 2 does."""
    assert make(wers=[0.4, 0.1, 0.2, 0.9], average=3).fit() == "epochs"
    assert (averaged(tmp_path), final_steps(tmp_path)) == ([2, 3, 1], 6)
    assert sorted(p.name for p in (tmp_path / "weights").iterdir()) == ["0000.npz", "0001.npz", "0002.npz"]


def test_an_average_worse_than_its_best_part_gives_way(make: Callable[..., Trainer], tmp_path: Path) -> None:
    """Epochs 1 and 3 are the best; their mean is that of 3 and 9 steps, which scores as epoch 2 does."""
    make(wers=[0.1, 0.5, 0.2, 0.9], average=2).fit()
    assert (averaged(tmp_path), final_steps(tmp_path)) == ([1], 3)


def test_without_a_dev_set_the_last_are_averaged(make: Callable[..., Trainer], tmp_path: Path) -> None:
    make(average=2).fit()
    assert averaged(tmp_path) == [4, 3]
    assert final_steps(tmp_path) == (12 + 9) / 2


def test_average_of_last_does_not_ask_who_is_best(make: Callable[..., Trainer], tmp_path: Path) -> None:
    make(wers=[0.1, 0.9, 0.9, 0.5], average=1, average_of="last").fit()
    assert (averaged(tmp_path), final_steps(tmp_path)) == ([4], 12)


def test_more_to_average_than_epochs_averages_all(make: Callable[..., Trainer], tmp_path: Path) -> None:
    make(epochs=1, average=9).fit()
    assert averaged(tmp_path) == [1]


@pytest.mark.parametrize(("patience", "epochs"), [(1, 3), (2, 4)])
def test_patience_ends_it_so_many_epochs_after_the_best(
    make: Callable[..., Trainer], patience: int, epochs: int
) -> None:
    witness = Witness()
    assert make(wers=[0.5, 0.4, 0.4, 0.6, 0.1], epochs=5, patience=patience, witness=witness).fit() == "patience"
    assert len(witness.epochs) == epochs


def test_no_minutes_train_one_step_a_call(make: Callable[..., Trainer], tmp_path: Path) -> None:
    """Each call goes on where the last ended, and the end of an epoch is not forgotten."""
    seconds = []
    for _ in range(4 * STEPS):
        assert make(max_minutes=0).fit() == "minutes"
        assert not (tmp_path / "final.json").exists()
        checkpoint = load_checkpoint(tmp_path / "checkpoints")
        assert checkpoint
        seconds.append(checkpoint.state["seconds"])
    assert make(max_minutes=0).fit() == "epochs"
    assert final_steps(tmp_path) == 12
    assert seconds == sorted(set(seconds))


def test_an_epochs_loss_is_that_of_all_its_steps_in_whatever_calls(make: Callable[..., Trainer]) -> None:
    """Steps lose 0, 1, 2 | 3, 4, 5."""
    losses = []
    for _ in range(2 * STEPS + 1):
        witness = Witness()
        make(epochs=2, max_minutes=0, witness=witness).fit()
        losses += [e.loss for e in witness.epochs]
    assert losses == [1, 4]


def test_seconds_are_wall_time_of_all_calls(make: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that ticks whenever asked: what the checkpoint has is what passed from call's begin to its saving."""
    now = [0.0]

    def monotonic() -> float:
        now[0] += 1.0
        return now[0]

    monkeypatch.setattr(trainer.time, "monotonic", monotonic)
    passed = 0.0
    for _ in range(2):
        began, run = now[0] + 1, make(max_minutes=0)
        run.fit()
        passed += now[0] - began
        now[0] += 1000
        assert run.position.seconds == passed


def test_the_learning_rate_rises_falls_and_goes_on_after_a_stop(make: Callable[..., Trainer]) -> None:
    rates = []
    for _ in range(4 * STEPS + 1):
        witness = Witness()
        make(max_minutes=0, witness=witness).fit()
        rates += [s.learning_rate for s in witness.steps]
    assert rates == pytest.approx([OptimizerOptions(0.1).at(step / 12) for step in range(1, 13)])
    assert rates[-1] == pytest.approx(0)


def test_observers_hear_of_each_step_and_each_epoch(make: Callable[..., Trainer]) -> None:
    witness = Witness()
    make(wers=[0.3, 0.2, 0.1, 0.1], witness=witness).fit()
    assert [(s.epoch, s.step, s.total_steps) for s in witness.steps[:4]] == [(1, 1, 1), (1, 2, 2), (1, 3, 3), (2, 1, 4)]
    assert {(s.epochs, s.steps) for s in witness.steps} == {(4, STEPS)}
    assert [(e.epoch, e.dev.wer if e.dev else None) for e in witness.epochs] == [(1, 0.3), (2, 0.2), (3, 0.1), (4, 0.1)]
    assert witness.steps[-1].seconds_left == 0
    assert all(s.audio_s_per_s > 0 for s in witness.steps)


def test_ctrl_c_lets_the_step_end_and_saves_it(make: Callable[..., Trainer], tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        make(witness=Witness(lambda r: ctrl_c() if r.total_steps == 5 else None)).fit()
    checkpoint = load_checkpoint(tmp_path / "checkpoints")
    assert checkpoint and checkpoint.state["total_steps"] == 5
    assert signal.getsignal(signal.SIGINT) is before
    make().fit()
    assert final_steps(tmp_path) == 12


def test_a_second_ctrl_c_does_not_wait(make: Callable[..., Trainer], tmp_path: Path) -> None:
    """The step is half done then, so what is left is the checkpoint before it."""

    def twice(report: StepReport) -> None:
        if report.total_steps == 5:
            ctrl_c()
            ctrl_c()

    with pytest.raises(KeyboardInterrupt):
        make(witness=Witness(twice)).fit()
    checkpoint = load_checkpoint(tmp_path / "checkpoints")
    assert checkpoint and checkpoint.state["total_steps"] == STEPS


@pytest.mark.parametrize("moment", ["score", "save_arrays", "save_checkpoint", "write_json"])
@pytest.mark.parametrize("call", [0, 1, 2])
def test_ctrl_c_at_an_epochs_end_loses_nothing(
    make: Callable[..., Trainer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, call: int
) -> None:
    """During the dev evaluation, the writing of weights or of a checkpoint, or the finish."""
    wers = [0.4, 0.3, 0.2, 0.1]
    run, calls = make(wers=wers, average=2), []

    def interrupted(original: Callable[..., Any]) -> Callable[..., Any]:
        def call_it(*arguments: Any) -> Any:
            if len(calls) == call:
                ctrl_c()
            calls.append(0)
            return original(*arguments)

        return call_it

    with monkeypatch.context() as patch:
        patch.setattr(trainer, moment, interrupted(getattr(trainer, moment)))
        try:
            run.fit()
        except KeyboardInterrupt:
            make(wers=wers, average=2).fit()
    assert (averaged(tmp_path), final_steps(tmp_path)) == ([4, 3], (12 + 9) / 2)


def test_a_run_killed_before_its_finish_is_finished_by_the_next_call(
    make: Callable[..., Trainer], tmp_path: Path
) -> None:
    make(average=2).fit()
    for name in ("final.npz", "final.json"):
        (tmp_path / name).unlink()
    witness = Witness()
    assert make(average=2, witness=witness).fit() == "epochs"
    assert witness.steps == []
    assert final_steps(tmp_path) == (12 + 9) / 2


def test_a_loss_that_is_not_finite_ends_it_and_leaves_the_checkpoint(
    make: Callable[..., Trainer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make()
    counting = Trainer._apply
    monkeypatch.setattr(
        Trainer, "_apply", lambda s, b, r: (REAL_APPLY if s.position.total_steps == 4 else counting)(s, b, r)
    )
    monkeypatch.setattr(TrainStep, "__call__", lambda *_: (float("nan"), 1.0))
    with pytest.raises(TrainingError, match=r"epoch 2, step 2: loss nan, gradient norm 1.0; lower optimizer.learning"):
        run.fit()
    checkpoint = load_checkpoint(tmp_path / "checkpoints")
    assert checkpoint and checkpoint.state["total_steps"] == STEPS


def test_a_checkpoint_of_another_model_is_refused(make: Callable[..., Trainer], tmp_path: Path) -> None:
    run = make(max_minutes=0)
    run.fit()
    with pytest.raises(CheckpointError, match="of another model"):
        Trainer(
            AcousticModel(4, len(VOCABULARY), cell="rnn", units=[3]),
            run.training_set,
            [],
            VOCABULARY,
            tmp_path,
            options=run.options,
            optimizer=run.schedule,
        )


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_each_cell_takes_a_step(cell: str, tmp_path: Path) -> None:
    model = AcousticModel(4, len(VOCABULARY), cell=cell, units=[2], bidirectional=False)
    before = [w.numpy() for w in model.trainable_variables]
    examples = TrainingSet([example("u")], 1.0, 0, (), [0])
    options = TrainerOptions(epochs=2, average=1)
    Trainer(model, examples, [], VOCABULARY, tmp_path, options=options, optimizer=OptimizerOptions(0.1, 0.5)).fit()
    assert all(np.any(b != w.numpy()) for b, w in zip(before, model.trainable_variables, strict=True))


def test_the_step_is_made_into_a_graph_once_for_all_shapes(
    tones: SimpleNamespace, corpus: Path, tmp_path: Path
) -> None:
    """Three batches an epoch, each of another length and count; a call that goes on makes it once more."""
    witness = Witness(lambda r: ctrl_c() if r.total_steps == 5 else None)
    tree = tones.tree(corpus, tmp_path / "run", trainer={"epochs": 3})
    with pytest.raises(KeyboardInterrupt):
        run_configured(tmp_path / "run", tree, [witness])
    run_configured(tmp_path / "run", tree, [witness])
    assert [e.traces for e in witness.epochs] == [1, 1, 1]


def test_the_share_of_waiting_is_of_the_steps_of_the_epoch(
    make: Callable[..., Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock on which each batch takes two seconds to come and each step six; and a call for each of its steps."""
    now = [0.0]
    monkeypatch.setattr(trainer.time, "monotonic", lambda: now[0])
    real = TrainingSet.batches

    def slow(*arguments: Any, **keywords: Any) -> Iterator[Any]:
        for batch in real(*arguments, **keywords):
            now[0] += 2
            yield batch

    def pass_six(_: StepReport) -> None:
        now[0] += 6

    monkeypatch.setattr(TrainingSet, "batches", slow)
    witness = Witness(pass_six)
    while make(epochs=2, max_minutes=0, witness=witness).fit() != "epochs":
        continue
    assert [e.waiting for e in witness.epochs] == [0.25, 0.25]


def test_position_is_what_a_checkpoint_holds(make: Callable[..., Trainer], tmp_path: Path) -> None:
    run = make(max_minutes=0)
    run.fit()
    checkpoint = load_checkpoint(tmp_path / "checkpoints")
    assert checkpoint and checkpoint.state == dataclasses.asdict(run.position)
