"""The stage that trains, in several rounds if the recipe has them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from asr.options import DataOptions
from asr.recipe.plan import Plan
from asr.recipe.results import BeganWith, RoundFigures
from asr.run_record import RunRecord, read_setup, read_summary
from asr.typed import from_tree

Train = Callable[[Sequence[str], Sequence[str]], bool]
"""A function that trains by the recipe: the user's settings override the first ones, the second override the user's.

It returns True when the run is finished, and False when it ran out of minutes."""


@dataclass(frozen=True)
class TrainedRun:
    """A finished training run.

    Attributes:
        folder: the folder of the run.
        seconds: the seconds of training over all calls, dev evaluations included.
        audio_s: the seconds of audio trained on, over all epochs.
        resumed: the number of times that training was resumed after a stop.
        weights: the SHA-256 of the final weights.
        parameters: the number of parameters of the network.
        seed: the seed of all random draws.
        commit: the commit that trained.
        began_with: the model whose weights training began with; None where it began from scratch.
    """

    folder: Path
    seconds: float
    audio_s: float
    resumed: int
    weights: str
    parameters: int
    seed: int | None
    commit: str
    began_with: BeganWith | None

    @classmethod
    def read(cls, folder: Path) -> TrainedRun:
        """Read the run's ``final.json`` and ``setup.json``; each call that took a step has left a file of events."""
        summary, record = read_summary(folder), read_setup(folder).record
        calls = len(list((folder / "events").glob("*.tfevents.*")))
        return cls(
            folder,
            seconds=summary.seconds,
            audio_s=3600 * record.data.train.hours * summary.epochs,
            resumed=max(0, calls - 1),
            weights=summary.sha256,
            parameters=record.parameters,
            seed=record.seed,
            commit=record.commit,
            began_with=_began_with(record),
        )


def _began_with(record: RunRecord) -> BeganWith | None:
    """Return the run or bundle whose weights a run began with, and the commit that had made them."""
    if (begun := record.began_with) is None:
        return None
    return BeganWith(Path(record.config["init_from"]).name, begun.commit, begun.weights_sha256 or None)


def train_rounds(plan: Plan, run: Path, train: Train) -> list[TrainedRun]:
    """Train each round, the last one in ``run`` itself and earlier ones in its subfolders; [] when out of minutes."""
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
    """Return each round's figures for the results; None where there was one round only."""
    if len(trained) == 1:
        return None
    return [RoundFigures(round(one.seconds / 60, 1), one.commit) for one in trained]


def data_options(run: Path) -> DataOptions:
    """Return the options of data that a run was trained with."""
    config = json.loads((run / "config.json").read_text(encoding="utf-8"))
    return from_tree(DataOptions, config["data"], "data")
