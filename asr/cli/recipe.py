"""Run a recipe's stages (prepare, train, export, evaluate), skipping what is done.

Settings as key=value go to training (asr train --help); with them, results stay in the run folder. Without them, in a
checkout, results.json and the table in recipes/NAME/README.md are written anew. Of a recipe that trains in rounds,
init_from=MODEL leaves the last one alone: it begins with that model in place of the round before.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asr.errors import MissingExtraError
from asr.files import write_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("name", metavar="NAME", help="a folder of recipes/")
    parser.add_argument("settings", metavar="key=value", nargs="*", help="settings of training")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="the corpus as published; of a recipe of several, the folder that holds them (default: data/)",
    )
    parser.add_argument("--download", action="store_true", help="fetch the corpora from their homes first")
    parser.add_argument("--run", type=Path, metavar="DIR", help="folder of the runs (default: runs/NAME)")


def run(arguments: argparse.Namespace) -> int:
    """Run the stages; 0 when all are done or training ran out of trainer.max_minutes."""
    from asr.cli.train import compose

    name = arguments.name
    compose([f"recipe={name}", *arguments.settings])
    try:
        from asr.recipe.plan import read_plan
        from asr.recipe.results import write_readme_table
        from asr.recipe.stages import prepare_stage, run_leave_one_out, run_one_model
    except ImportError as missing:
        raise MissingExtraError(f"a recipe needs {missing.name}; pip install 'asr[train]'") from missing
    plan = read_plan(name)
    if any(setting.startswith("init_from=") for setting in arguments.settings):
        plan = plan.last_round()
    folder = arguments.run or Path("runs") / name
    prepare_stage(plan, arguments.data, download=arguments.download, say=_say)
    stages = run_leave_one_out if plan.leave_one_speaker_out else run_one_model
    results = stages(plan, folder, _trainer(name, arguments.settings), _say, arguments.data)
    if results is None:
        _say("out of minutes; the same command goes on")
        return 0
    write_json(folder / "results.json", results)
    if not arguments.settings and _in_checkout(plan.home):
        write_json(plan.home / "results.json", results)
        write_readme_table(plan, results)
    _show(results, folder)
    return 0


def _trainer(name: str, settings: Sequence[str]) -> Any:
    from asr.cli.train import compose, train
    from asr.training.run import finished

    def run_training(overrides: Sequence[str]) -> bool:
        config = compose([f"recipe={name}", *overrides, *settings])
        train(config)
        return finished(config.run_dir)

    return run_training


def _in_checkout(home: Path) -> bool:
    return (home.parents[1] / "pyproject.toml").is_file()


def _show(results: dict[str, Any], folder: Path) -> None:
    sets = {"": results["systems"]} | {f"{name}, ": one["systems"] for name, one in results.get("further", {}).items()}
    for name, systems in sets.items():
        for system, rates in systems.items():
            wer, cer = (f"{kind.upper()} {100 * rates[kind]['rate']:.2f} %" for kind in ("wer", "cer"))
            _say(f"evaluate: {name}{system}: {wer}, {cer}")
    _say(f"results are in {folder / 'results.json'}")


def _say(line: str) -> None:
    print(line, flush=True)
