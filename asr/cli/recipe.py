"""Run a recipe's stages (prepare, cut words out, train, export, evaluate), skipping what is done.

Settings as key=value go to training (asr train --help; trainer.max_minutes is of each run); with them, results stay in
the run folder. Without them, in a checkout, results.json and the table in recipes/NAME/README.md are written anew.
init_from=MODEL, which may be there, begins with that model; of a recipe that trains in rounds it is the last that does.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from asr.errors import ConfigError, MissingExtraError
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

    name, settings = arguments.name, arguments.settings
    config = compose([f"recipe={name}", *settings])
    if any(setting.startswith("run_dir=") for setting in settings):
        raise ConfigError("a recipe's runs are in the folder that --run names; run_dir is its own")
    try:
        from asr.recipe.plan import read_plan
        from asr.recipe.results import write_readme_table
        from asr.recipe.stages import prepare_stage, run_leave_one_out, run_one_model
    except ImportError as missing:
        raise MissingExtraError(f"a recipe needs {missing.name}", "train") from missing
    plan = read_plan(name)
    if any(setting.startswith("init_from=") for setting in settings):
        plan = plan.last_round()
    last = config
    for its_own in filter(None, plan.rounds):  # before the first trains, so that no mistake waits for hours
        last = compose([f"recipe={name}", *its_own, *settings])
    if plan.lexicon and last.data.lexicon != str(plan.lexicon.to):
        raise ConfigError(f"stages.yaml makes the lexicon {plan.lexicon.to}; data.lexicon is {last.data.lexicon}")
    folder = arguments.run or Path("runs") / name
    prepare_stage(plan, arguments.data, config.data.normaliser, download=arguments.download, say=_say)
    stages = run_leave_one_out if plan.leave_one_speaker_out else run_one_model
    results = stages(plan, folder, _trainer(name, settings), _say, arguments.data)
    if results is None:
        _say("out of minutes; the same command goes on")
        return 0
    results |= {"command": " ".join(["asr recipe", name, *settings])}
    write_json(folder / "results.json", results)
    if all(s.startswith("init_from=") for s in settings) and _in_checkout(plan.home):
        write_json(plan.home / "results.json", results)
        write_readme_table(plan, results)
    _show(results, folder)
    return 0


def _trainer(name: str, settings: Sequence[str]) -> Any:
    from asr.cli.train import compose, train
    from asr.training.run import finished

    def run_training(unless_given: Sequence[str], needed: Sequence[str]) -> bool:
        config = compose([f"recipe={name}", *unless_given, *settings, *needed])
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
