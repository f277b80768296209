"""Training, in rounds where a recipe has several."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from asr.options import DataOptions
from asr.recipe.plan import Plan
from asr.recipe.results import BeganWith, RoundFigures
from asr.typed import from_tree

Train = Callable[[Sequence[str], Sequence[str]], bool]
"""Train by the recipe, with the settings given first unless the user has others, and those given second in any case.

True when the run is finished, False when it ran out of minutes."""


@dataclass(frozen=True)
class TrainedRun:
    """A finished run.

    Attributes:
        folder: of the run.
        seconds: of training, dev evaluations included, over all calls.
        audio_s: seconds of audio trained on, in all epochs.
        resumed: how often it went on after a stop.
        weights: SHA-256 of the final ones.
        parameters: of the network.
        seed: of all draws.
        commit: that trained.
        began_with: the model whose weights it began with, None where it began anew.
    """

    folder: Path
    seconds: float
    audio_s: float
    resumed: int
    weights: str
    parameters: int
    seed: int
    commit: str
    began_with: BeganWith | None

    @classmethod
    def read(cls, folder: Path) -> TrainedRun:
        """Read the run's ``final.json`` and ``setup.json``; each call that took a step has left a file of events."""
        final = json.loads((folder / "final.json").read_text(encoding="utf-8"))
        record = json.loads((folder / "setup.json").read_text(encoding="utf-8"))["record"]
        calls = len(list((folder / "events").glob("*.tfevents.*")))
        return cls(
            folder,
            seconds=final["seconds"],
            audio_s=3600 * record["data"]["train"]["hours"] * final["epochs"],
            resumed=max(0, calls - 1),
            weights=final["sha256"],
            parameters=record["parameters"],
            seed=record["seed"],
            commit=record["commit"],
            began_with=_began_with(folder),
        )


def _began_with(folder: Path) -> BeganWith | None:
    """Return the run or bundle whose weights a run began with, and the commit that had made them."""
    record = json.loads((folder / "setup.json").read_text(encoding="utf-8"))["record"]
    begun = record.get("began_with")
    if not begun:
        return None
    made = begun.get("trained", begun)  # of a bundle's card, else a run's own record
    return BeganWith(Path(record["config"]["init_from"]).name, made["commit"], begun.get("weights_sha256"))


def train_rounds(plan: Plan, run: Path, train: Train) -> list[TrainedRun]:
    """Train each round, the last in ``run`` itself, those before in folders of it; [] when out of minutes."""
    done: list[TrainedRun] = []
    for settings, folder in zip(plan.rounds, round_folders(plan, run), strict=True):
        start = [f"init_from={done[-1].folder}"] if done else []
        if not train(settings, [f"run_dir={folder}", *start]):
            return []
        done.append(TrainedRun.read(folder))
    return done


def round_folders(plan: Plan, run: Path) -> list[Path]:
    """Return the run folder of each round."""
    return [*(run / f"round_{number}" for number in range(1, len(plan.rounds))), run]


def round_figures(trained: Sequence[TrainedRun]) -> list[RoundFigures] | None:
    """Return what results say of each round of training, where there were several."""
    if len(trained) == 1:
        return None
    return [RoundFigures(round(one.seconds / 60, 1), one.commit) for one in trained]


def data_options(run: Path) -> DataOptions:
    """Return the options of data that a run was trained with."""
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    return from_tree(DataOptions, config["data"], "data")
