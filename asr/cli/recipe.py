"""Run a recipe's stages (prepare, cut words out, train, export, tune, evaluate) and skip those that are done.

asr recipe                       list the recipes of the package, and yours in ./recipes
asr recipe NAME                  run a recipe, by its name or by its folder's path
asr recipe NAME --dry_run        say what the recipe would do

Settings as key=value apply to training (see asr train --help; trainer.max_minutes limits each run). init_from=MODEL
begins training with that model; a recipe that trains in rounds then runs its last round only. Results are written to
the run folder; --update_tables also writes them to the recipe's own folder: results.json and the table in README.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asr.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from asr.options import TrainingOptions
    from asr.recipe.plan import Plan
    from asr.recipe.results import Results
    from asr.recipe.train_stage import Train


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``asr recipe``."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="a folder of recipes/, or a path; none lists them all")
    parser.add_argument("settings", metavar="key=value", nargs="*", help="settings of training")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="the folder of the corpus as published, or of all corpora if the recipe has several (default: data/)",
    )
    parser.add_argument("--download", action="store_true", help="download the corpora first")
    parser.add_argument("--run", type=Path, metavar="DIR", help="folder of the runs (default: runs/NAME)")
    parser.add_argument("--dry_run", action="store_true", help="say what would be done, and do nothing")
    parser.add_argument(
        "--update_tables", action="store_true", help="write results.json and README.md in the recipe's own folder"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the stages; return 0 when all are done or training ran out of trainer.max_minutes.

    Raises:
        ConfigError: there is no such recipe, or a setting makes no sense.
        MissingExtraError: Hydra or TensorFlow is not installed.
    """
    from asr.cli.train import import_composing

    import_composing()
    if arguments.name is None:
        return _list()
    name, settings = arguments.name, arguments.settings
    plan, rounds = _planned(name, settings)
    folder = arguments.run or Path("runs") / plan.name
    if arguments.update_tables and not all(one.startswith("init_from=") for one in settings):
        raise ConfigError(f"--update_tables needs the recipe's own settings; leave out {' '.join(settings)}")
    if arguments.dry_run:
        from asr.recipe.dry_run import planned

        for line in planned(plan, rounds, folder, arguments.data, download=arguments.download):
            _say(line)
        return 0
    results = _run_stages(plan, rounds, folder, arguments)
    if results is None:
        _say("out of minutes; the same command goes on")
        return 0
    _keep(plan, results, folder, update_tables=arguments.update_tables)
    return 0


def _list() -> int:
    """Print a line for each recipe: its name and title, and its folder if that is not in the package."""
    from asr.recipe.find import all_recipes, is_ours
    from asr.recipe.plan import read_plan

    found = all_recipes()
    width = max(map(len, found))
    for name, home in found.items():
        try:
            about = read_plan(str(home)).title
        except ConfigError as fault:
            about = str(fault)
        print(f"{name:{width}}  {about}{'' if is_ours(home) else f' ({home})'}")
    return 0


def _planned(name: str, settings: Sequence[str]) -> tuple[Plan, list[TrainingOptions]]:
    """Read the plan and compose all rounds before the first one trains, so that mistakes are found at once."""
    from asr.cli.composing import compose, options_of
    from asr.recipe.plan import read_plan

    if any(setting.startswith("run_dir=") for setting in settings):
        raise ConfigError("a recipe's runs are in the folder that --run names; run_dir is its own")
    plan = read_plan(name)
    if any(setting.startswith("init_from=") for setting in settings):
        plan = plan.last_round()
    rounds = [options_of(compose([f"recipe={name}", *its_own, *settings])) for its_own in plan.rounds]
    if plan.lexicon and rounds[-1].data.lexicon != str(plan.lexicon.to):
        raise ConfigError(
            f"{plan.home}: stages.lexicon.to is {plan.lexicon.to}, and data.lexicon is {rounds[-1].data.lexicon}"
        )
    return plan, rounds


def _run_stages(
    plan: Plan, rounds: Sequence[TrainingOptions], folder: Path, arguments: argparse.Namespace
) -> Results | None:
    from dataclasses import replace

    from asr.cli.train import import_training

    import_training()
    try:
        from asr.recipe.prepare_stage import prepare_stage
        from asr.recipe.run import run_stages
    except ImportError as missing:
        raise MissingExtraError(f"a recipe needs {missing.name}", "train") from missing
    prepare_stage(plan, arguments.data, rounds[0].data.normaliser, download=arguments.download, say=_say)
    train = _trainer(arguments.name, arguments.settings)
    results = run_stages(plan, folder, train, _say, arguments.data)
    if results is None:
        return None
    return replace(results, command=" ".join(["asr recipe", arguments.name, *arguments.settings]))


def _trainer(name: str, settings: Sequence[str]) -> Train:
    from asr.cli.composing import compose, options_of
    from asr.cli.train import train

    def run_training(unless_given: Sequence[str], needed: Sequence[str]) -> bool:
        config: Any = compose([f"recipe={name}", *unless_given, *settings, *needed])
        return train(Path(config.run_dir), options_of(config), config.init_from) != "minutes"

    return run_training


def _keep(plan: Plan, results: Results, folder: Path, *, update_tables: bool) -> None:
    """Write the results, and print the error rates."""
    from asr.recipe.results import write_results
    from asr.recipe.table import write_readme_table

    write_results(folder / "results.json", results)
    if update_tables:
        write_results(plan.home / "results.json", results)
        write_readme_table(plan, results)
    sets = {"": results.systems} | {f"{name}, ": one.systems for name, one in (results.further or {}).items()}
    for name, systems in sets.items():
        for system, scores in systems.items():
            _say(f"evaluate: {name}{system}: WER {_per_cent(scores.wer.rate)}, CER {_per_cent(scores.cer.rate)}")
    _say(f"results are in {folder / 'results.json'}")


def _per_cent(rate: float | None) -> str:
    return "unknown" if rate is None else f"{100 * rate:.2f} %"


def _say(line: str) -> None:
    print(line, flush=True)
