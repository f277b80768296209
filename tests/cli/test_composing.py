"""Composing for other processes and other verbs: what a launcher pickles, and what stands above what."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cloudpickle
import pytest
from hydra.core.singleton import Singleton
from hydra.types import RunMode

from asr.cli.composing import application, compose, options_of, quoted
from asr.cli.train import train_job

IN_ANOTHER_PROCESS = """
import sys, cloudpickle
from hydra.core.singleton import Singleton
from hydra.core.utils import setup_globals
job, loader, state, config, overrides = cloudpickle.load(sys.stdin.buffer)
setup_globals()
Singleton.set_state(state)
composed = loader.load_sweep_config(config, overrides)
print(job.__name__, composed.model.units, composed.trainer.epochs, composed.hydra.job.override_dirname)
loader.load_sweep_config(config, ["trainer.epochs=ten"])
"""


def test_a_launcher_finds_all_in_another_process_and_mistakes_are_told_there_as_well(tmp_path: Path) -> None:
    """As the joblib, submitit and Ray launchers do: the job, the loader and Hydra's state go through cloudpickle."""
    (tmp_path / "recipe.yaml").write_text("model: {units: [5]}\ntrainer: {epochs: 3}\n")
    app = application()
    config = app.compose_config("train", [], RunMode.MULTIRUN)
    overrides = [f"recipe={tmp_path}", "trainer.epochs=4"]
    sent = cloudpickle.dumps((train_job, app.config_loader, Singleton.get_state(), config, overrides))
    done = subprocess.run([sys.executable, "-c", IN_ANOTHER_PROCESS], input=sent, capture_output=True)
    assert done.stdout.decode().startswith("train_job [5] 4 ")
    last = done.stderr.decode().splitlines()[-1]
    assert last == "asr.errors.ConfigError: trainer.epochs must be a whole number, got 'ten'"


@pytest.mark.parametrize("folder", ["my run (a=1), two", "runs/a b", "runs/{x}", "runs/plain-1.2", "it's"])
def test_a_folder_may_have_any_name(folder: str) -> None:
    assert compose([f"run_dir={folder}"]).run_dir == folder


def test_a_sweep_over_folders_stays_a_sweep() -> None:
    assert quoted(["recipe=an4,fsdd"]) == ["recipe=an4,fsdd"]


def test_the_runs_folder_is_called_after_the_recipe() -> None:
    assert (compose([]).run_dir, compose(["recipe=an4"]).run_dir) == ("runs/train", "runs/an4")


def test_settings_stand_in_order(tmp_path: Path) -> None:
    """A group's option, below a recipe, below what the recipe's own start leaves, below the command line."""
    start = tmp_path / "start"
    start.mkdir()
    (start / "config.json").write_text(json.dumps({"model": {"cell": "gru", "units": [7], "dropout": 0.4}}))
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("data: {train: [a]}\nmodel: {units: [5], dropout: 0.2}\n")

    def model(*overrides: str) -> tuple[str, list[int], float]:
        options = options_of(compose([f"recipe={tmp_path}", *overrides])).model
        return options.cell, list(options.units), options.dropout

    assert model() == ("lstm", [5], 0.2)
    assert model("model=bigru") == ("gru", [5], 0.2)
    assert model("model.dropout=0.1") == ("lstm", [5], 0.1)
    assert model(f"init_from={start}") == ("gru", [7], 0.4), "a start of the command line stands above the recipe"
    assert model(f"init_from={start}", "model.dropout=0.1") == ("gru", [7], 0.1)
    assert model(f"init_from={start}", "model=birnn") == ("rnn", [5], 0.2), "a group that is named is all of it"
    recipe.write_text(f"init_from: {start}\n" + recipe.read_text().replace("units: [5], ", ""))
    assert model() == ("gru", [7], 0.2), "a recipe that names its start stands above it"
