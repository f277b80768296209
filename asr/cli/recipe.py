"""Run a recipe's stages (prepare, train, export, evaluate), skipping what is done.

Settings as key=value go to training (asr train --help); with them, results stay in the run folder. Without them, in a
checkout, results.json and the table in recipes/NAME/README.md are written anew.
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
        "--data", type=Path, metavar="DIR", help="the corpus as published (default: data/ as in the recipe)"
    )
    parser.add_argument("--download", action="store_true", help="fetch the corpus from its home first")
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
    folder = arguments.run or Path("runs") / name
    prepare_stage(plan, arguments.data or plan.folder, download=arguments.download, say=_say)
    stages = run_one_model if plan.test else run_leave_one_out
    results = stages(plan, folder, _trainer(name, arguments.settings), _say)
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
        config = compose([f"recipe={name}", *settings, *overrides])
        train(config)
        return finished(config.run_dir)

    return run_training


def _in_checkout(home: Path) -> bool:
    return (home.parents[1] / "pyproject.toml").is_file()


def _show(results: dict[str, Any], folder: Path) -> None:
    for system, rates in results["systems"].items():
        _say(f"evaluate: {system}: WER {100 * rates['wer']['rate']:.2f} %, CER {100 * rates['cer']['rate']:.2f} %")
    _say(f"results are in {folder / 'results.json'}")


def _say(line: str) -> None:
    print(line, flush=True)
