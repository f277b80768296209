"""Several devices take the steps of one: two logical CPUs, and two processes that speak over loopback.

Dropout is off where losses are compared, because each replica draws its own.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from asr.cli.train import run_configured
from asr.errors import ConfigError
from asr.training.checkpoint import load_arrays, load_checkpoint
from asr.training.distribution import find_devices, read_cluster, shared
from asr.training.trainer import Trainer

PROGRAM = Path(__file__).with_name("distributed_run.py")
DEADLINE_S = 300
"""For what takes ten seconds on an idle machine."""

Said = list[dict[str, Any]]


def tree(corpus: Path, run_dir: Path, **settings: Any) -> dict[str, Any]:
    return runpy.run_path(str(PROGRAM))["tree"](corpus, run_dir, **settings)


# Whose rows are whose.


@pytest.mark.parametrize(("rows", "parts"), [(7, 2), (6, 2), (1, 2), (2, 5), (3, 1), (8, 3)])
def test_each_row_counts_once_and_all_parts_are_of_one_size(rows: int, parts: int) -> None:
    cut = [shared(range(100, 100 + rows), part, parts) for part in range(parts)]
    counted = [row for own, weights in cut for row, weight in zip(own, weights, strict=True) if weight]
    assert sorted(counted) == list(range(100, 100 + rows))
    assert {len(own) for own, _ in cut} == {-(-rows // parts)}


def test_neighbours_which_are_of_like_length_go_to_different_parts() -> None:
    assert [list(shared([1, 2, 30, 31], part, 2)[0]) for part in range(2)] == [[1, 30], [2, 31]]


# Which devices.


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)


def test_auto_is_one_device_where_there_is_one() -> None:
    devices = find_devices("auto")
    assert (devices.workers, devices.replicas, devices.chief) == (1, 1, True)


@pytest.mark.parametrize("choice", ["auto", "multi_worker"])
@pytest.mark.parametrize(
    "text",
    [
        "two machines",
        "[]",
        '{"cluster": {"worker": ["a:1", "b:1"]}}',
        '{"cluster": {"worker": "a:1"}, "task": {"type": "worker", "index": 0}}',
        '{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 2}}',
        '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "ps", "index": 0}}',
    ],
)
def test_a_cluster_that_makes_no_sense_is_refused(choice: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ConfigError, match="reads TF_CONFIG, got .*needed is .*the same list on every machine"):
        find_devices(choice)


def test_several_workers_need_a_cluster() -> None:
    with pytest.raises(ConfigError, match="reads TF_CONFIG, got ''"):
        find_devices("multi_worker")


def test_a_worker_finds_itself() -> None:
    cluster = {"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 1}}
    assert read_cluster(json.dumps(cluster)) == (["a:1", "b:2"], 1)


# One device, which the others are held against.


class Witness:
    def __init__(self) -> None:
        self.said: Said = []

    def on_step(self, report: Any) -> None:
        self.said.append({"step": report.total_steps, "loss": report.loss, "norm": report.gradient_norm})

    def on_epoch(self, report: Any) -> None:
        self.said.append({"epoch": report.epoch, "wer": report.dev.wer, "cer": report.dev.cer})


@pytest.fixture(scope="module")
def one(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A run on one device: its steps, epochs, batches and folder."""
    folder, witness, trainers = tmp_path_factory.mktemp("one") / "run", Witness(), []
    with pytest.MonkeyPatch.context() as patch:
        fit = Trainer.fit
        patch.setattr(Trainer, "fit", lambda self: trainers.append(self) or fit(self))
        run_configured(folder, tree(corpus, folder), [witness])
    examples = trainers[0].training_set
    ids = [[[examples.examples[i].utterance.id for i in b] for b in examples.order(epoch)] for epoch in range(3)]
    return SimpleNamespace(said=witness.said, batches=[b for epoch in ids for b in epoch], folder=folder)


def steps(said: Said) -> dict[int, dict[str, float]]:
    return {s["step"]: s for s in said if "step" in s}


def rows(said: Said) -> list[list[str]]:
    return [s["rows"] for s in said if "rows" in s]


def assert_same_training(said: Said, one: SimpleNamespace) -> None:
    """Loss and gradient norm of each step, dev errors of each epoch."""
    mine, whole = steps(said), steps(one.said)
    for step in mine:
        assert mine[step]["loss"] == pytest.approx(whole[step]["loss"], abs=1e-4)
        assert mine[step]["norm"] == pytest.approx(whole[step]["norm"], rel=1e-4)
    errors = {s["epoch"]: (s["wer"], s["cer"]) for s in one.said if "epoch" in s}
    assert {s["epoch"]: (s["wer"], s["cer"]) for s in said if "epoch" in s}.items() <= errors.items()


def assert_same_end(folder: Path, one: SimpleNamespace) -> None:
    """Weights, and the optimizer's moments and counts."""
    for read in (lambda f: load_arrays(f / "final.npz"), lambda f: load_checkpoint(f / "checkpoints").arrays):
        mine, whole = read(folder), read(one.folder)
        assert mine.keys() == whole.keys()
        for name in mine:
            np.testing.assert_allclose(mine[name], whole[name], rtol=1e-3, atol=1e-4)


def parsed(text: str) -> Said:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def environment(**more: str) -> dict[str, str]:
    """As a person has it: what TensorFlow says is then held back."""
    return {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"} | more


def test_two_replicas_in_one_process_take_the_steps_of_one(corpus: Path, tmp_path: Path, one: SimpleNamespace) -> None:
    """Some batches have an odd number of rows. The graph is made once, too."""
    assert any(len(batch) % 2 for batch in one.batches)
    command = [sys.executable, str(PROGRAM), str(corpus), str(tmp_path / "run"), "mirrored"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_S, env=environment())
    assert done.returncode == 0, done.stderr
    said = parsed(done.stdout)
    assert steps(said).keys() == steps(one.said).keys()
    assert_same_training(said, one)
    assert rows(said) == one.batches
    assert {s["traces"] for s in said if "traces" in s} == {1}
    assert_same_end(tmp_path / "run", one)


# Two workers.


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]


class Workers:
    """Two processes of one run, started; all are ended with the ``with`` block."""

    def __init__(self, corpus: Path, folders: Sequence[Path], *settings: str) -> None:
        addresses = [f"127.0.0.1:{port}" for port in free_ports(2)]
        self.processes = []
        for index, folder in enumerate(folders):
            config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
            command = [sys.executable, str(PROGRAM), str(corpus), str(folder), "multi_worker", *settings]
            pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            self.processes.append(subprocess.Popen(command, env=environment(TF_CONFIG=json.dumps(config)), **pipes))

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()

    def until(self, index: int, found: Callable[[dict[str, Any]], bool]) -> Said:
        """What worker ``index`` says up to the first line that is ``found``."""
        said: Said = []
        for line in self.processes[index].stdout:
            said += parsed(line)
            if said and found(said[-1]):
                break
        return said

    def ended(self, index: int, within_s: float = DEADLINE_S) -> tuple[int, Said, str]:
        """Exit code, the rest of what it says, and its complaint."""
        out, complaint = self.processes[index].communicate(timeout=within_s)
        return self.processes[index].returncode, parsed(out), complaint


def test_a_killed_worker_ends_the_other_and_both_go_on_to_the_end_of_one_device(
    corpus: Path, tmp_path: Path, one: SimpleNamespace
) -> None:
    """No row of any batch is lost or taken twice; the step at which the other died may not be in the checkpoint yet."""
    folder = tmp_path / "run"
    with Workers(corpus, [folder, folder]) as workers:
        before = workers.until(0, lambda s: s.get("step") == 4)
        workers.processes[1].kill()
        code, rest, complaint = workers.ended(0, within_s=60)
    assert code == 1
    assert complaint.startswith("asr: error[training]: worker 0 of 2 cannot go on: worker 1 (127.0.0.1:")
    assert complaint.count("\n") == 1
    done = load_checkpoint(folder / "checkpoints").state["total_steps"]
    assert max(steps(before + rest)) - done in (0, 1)

    with Workers(corpus, [folder, folder]) as workers:
        (code, said, complaint), (other_code, other_said, other_complaint) = workers.ended(0), workers.ended(1)
    assert (code, other_code) == (0, 0), complaint + other_complaint
    assert list(steps(said)) == list(range(done + 1, len(one.batches) + 1))
    assert_same_training(before + rest, one)
    assert_same_training(said, one)
    for step, first, second in zip(range(done, len(one.batches)), rows(said), rows(other_said), strict=True):
        batch = one.batches[step]
        assert (first, second) == (batch[::2], (batch[1::2] + batch[-1:])[: len(first)])
    assert steps(other_said) == {}
    assert_same_end(folder, one)


def test_a_chief_that_is_frozen_ends_the_other(corpus: Path, tmp_path: Path) -> None:
    """Its connections stay open, so that it is the missing heartbeat that tells, without a name."""
    with Workers(corpus, [tmp_path, tmp_path], "epochs=1000") as workers:
        workers.until(0, lambda s: s.get("step") == 1)
        workers.processes[0].send_signal(signal.SIGSTOP)
        code, _, complaint = workers.ended(1, within_s=60)
    assert code == 1
    assert complaint.startswith("asr: error[training]: worker 1 of 2 cannot go on: ")
    assert complaint.count("\n") == 1


def test_ctrl_c_at_one_worker_stops_all_with_a_checkpoint(corpus: Path, tmp_path: Path) -> None:
    with Workers(corpus, [tmp_path, tmp_path], "epochs=1000", "checkpoint_minutes=10") as workers:
        workers.until(0, lambda s: s.get("step") == 1)
        workers.processes[1].send_signal(signal.SIGINT)
        (_, said, complaint), (_, _, other_complaint) = workers.ended(0), workers.ended(1)
    assert complaint.endswith("KeyboardInterrupt\n") and other_complaint.endswith("KeyboardInterrupt\n")
    assert load_checkpoint(tmp_path / "checkpoints").state["total_steps"] == max(steps(said), default=1)
