"""asr train recipe=NAME key=value … — train a model, or continue where the same command stopped.

  recipe=NAME          use a recipe's settings: a folder in ./recipes or in the package's recipes, or a path
  GROUP=OPTION         choose another file of conf/: model=bigru, features=mfcc, augment=none …
  key=value            change one setting: trainer.epochs=40, trainer.max_minutes=30, model.units=[320,320]
  run_dir=FOLDER       write checkpoints, weights and TensorBoard events to this folder (default runs/NAME)
  init_from=MODEL      begin with the weights of a run folder or a bundle, and with its model, features and normaliser
                       where you do not set others
  -m, --multirun       run a sweep: model.dropout=0.1,0.3 trains a job for each value, in folders below run_dir, and
                       prints a table of the jobs at the end
  --cfg job            print the composed configuration and stop
  --config-dir DIR     add your own folder of configurations to conf/: model=mine reads DIR/model/mine.yaml

This is a Hydra application (hydra.cc): hydra/launcher=joblib, hydra/sweeper=optuna and other plugins,
hydra.run.dir=DIR, --info and --hydra-help work as usual. Ctrl-C or SIGTERM finishes the current step and saves a
checkpoint (a second Ctrl-C stops at once); the same command continues from it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from asr.errors import AsrError, ConfigError, MissingExtraError, TrainingError

if TYPE_CHECKING:
    from argparse import Namespace

    from hydra._internal.hydra import Hydra
    from omegaconf import DictConfig

    from asr.options import TrainingOptions


def run_raw(argv: Sequence[str]) -> int:
    """Compose the configuration, train, and print how training ended."""
    if "-h" in argv or "--help" in argv:
        print(__doc__)
        return 0
    composing = import_composing()
    from hydra._internal.utils import get_args_parser

    parser = get_args_parser()
    parser.error = _refuse  # type: ignore[method-assign]
    arguments = parser.parse_intermixed_args(list(argv))
    if arguments.config_path or arguments.experimental_rerun:
        raise ConfigError("asr train has its own conf/; --config-dir DIR puts yours beside it")
    app = composing.application(arguments.config_dir)
    try:
        return _act(app, arguments, parser, composing.quoted(arguments.overrides))
    finally:
        from hydra.core.global_hydra import GlobalHydra

        GlobalHydra.instance().clear()


def import_composing() -> Any:
    """Return the module that composes configurations.

    Raises:
        MissingExtraError: Hydra is not installed.
    """
    try:
        from asr.cli import composing
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("asr"):
            raise
        raise MissingExtraError("training needs Hydra and TensorFlow", "train") from missing
    return composing


def _refuse(message: str) -> NoReturn:
    raise ConfigError(f"{message}; see asr train --help")


def _act(app: Hydra, arguments: Namespace, parser: Any, overrides: list[str]) -> int:
    """Follow the flags: show something, train one job, or train several jobs."""
    name = arguments.config_name or "train"
    if arguments.hydra_help:
        app.hydra_help(config_name=name, args_parser=parser, args=arguments)
    elif arguments.cfg:
        app.show_cfg(name, overrides, arguments.cfg, arguments.package, arguments.resolve)
    elif arguments.info:
        app.show_info(arguments.info, config_name=name, overrides=overrides)
    elif arguments.shell_completion:
        app.shell_completion(config_name=name, overrides=overrides)
    elif arguments.multirun or "hydra.mode=MULTIRUN" in overrides:
        _sweep(app, name, overrides)
    else:
        _run_once(app, name, [*overrides, "hydra.mode=RUN"])
    return 0


def _run_once(app: Hydra, name: str, overrides: list[str]) -> None:
    """Run one job by Hydra; impossible settings are refused before Hydra makes a folder for it."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from asr.cli.composing import options_of

    config = app.compose_config(name, overrides, RunMode.RUN)
    HydraConfig.instance().set_config(config)
    options_of(config)
    failures: list[Exception] = []

    def job(config: DictConfig) -> None:
        try:
            train_job(config)
        except Exception as error:  # otherwise Hydra prints its own lines and raises the error again
            failures.append(error)

    app.run(name, job, overrides)
    if failures:
        raise failures[0]


def _sweep(app: Hydra, name: str, overrides: list[str]) -> None:
    """Train each job by Hydra's sweeper and launcher, and print a table of the jobs even if some fail."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.types import RunMode

    from asr.cli.sweep import failures, forget, print_table

    config = app.compose_config(name, overrides, RunMode.MULTIRUN)
    parsed = OverridesParser.create().parse_overrides(overrides)
    varied = {one.key_or_group for one in parsed if one.is_sweep_override()}
    same = sorted({one.key_or_group for one in parsed if not one.is_hydra_override()} - varied)
    folder = str(config.hydra.sweep.dir)
    forget(Path(folder))
    told = [
        "hydra.mode=MULTIRUN",
        "hydra.sweep.dir='{}'".format(folder.replace("'", "\\'")),  # one folder, even if its name varies
        f"hydra.job.config.override_dirname.exclude_keys=[{','.join(same)}]",  # the settings that vary name a job
    ]
    try:
        app.multirun(name, train_job, [*told[2:], *overrides, *told[:2]])
    except Exception as fault:
        if isinstance(fault, AsrError) or not (failed := failures(Path(folder))):
            raise
        raise TrainingError(f"{len(failed)} jobs failed; {failed[0]}") from fault  # a launcher's error has a traceback
    finally:
        print_table(Path(folder))


def train_job(config: DictConfig) -> float | None:
    """Train one job, in this process or in a launcher's.

    Returns:
        The lowest dev WER, a fraction, which a sweeper may minimise; None without a dev set.
    """
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from asr.cli.composing import options_of
    from asr.cli.sweep import JobNote, best_dev, noted

    hydra = HydraConfig.get()
    many = hydra.mode == RunMode.MULTIRUN
    folder = Path(hydra.sweep.dir) / str(hydra.sweep.subdir) if many else Path(hydra.run.dir)
    note = JobNote(hydra.job.num, hydra.job.override_dirname, tuple(hydra.overrides.task)) if many else None
    job = noted(folder, note) if note else nullcontext(None)
    try:
        with job as told:
            if note:
                print(f"job {note.job}: {note.settings}", flush=True)
            options = options_of(config)
            if many:
                _check_objective(hydra.sweeper._target_, options)
            ended = train(folder, options, config.init_from)
            if told:
                told.status = "out of minutes" if ended == "minutes" else f"done ({ended})"
    finally:
        with suppress(OSError):
            folder.rmdir()  # Hydra made the folder, and nothing was written to it
    return best_dev(folder)[0]


def _check_objective(sweeper: str, options: TrainingOptions) -> None:
    """Refuse a sweep for the lowest dev WER if there is no dev set; Hydra's own sweeper needs no objective."""
    if "BasicSweeper" not in sweeper and not (options.data.dev or options.data.dev_speakers):
        raise ConfigError("a sweeper that looks for the lowest dev WER needs data.dev or data.dev_speakers")


def train(folder: Path, options: TrainingOptions, init_from: str | None = None) -> str:
    """Train in ``folder``, and print how training ended.

    Returns:
        ``trained`` if training was already finished, else why it stopped: ``epochs``, ``patience`` or ``minutes``.
    """
    import_training()
    from asr.training.display import Display
    from asr.training.events import EventLog
    from asr.training.run_folder import finished, same_run

    if finished(folder):
        same_run(folder, record_of(folder, options, init_from))
        print(f"{folder} is trained; its weights are in final.npz", flush=True)
        return "trained"
    with Display() as display:
        try:
            reason = _run(folder, options, init_from, [display, EventLog(folder)])
        except KeyboardInterrupt:
            print(f"stopped; the same command goes on{_since_when(folder)}", file=sys.stderr)
            raise
    ended = "out of minutes; the same command goes on" if reason == "minutes" else f"done ({reason})"
    print(f"{folder}: {ended}", flush=True)
    return reason


def _since_when(folder: Path) -> str:
    from asr.training.checkpoint import numbers_of

    numbers = numbers_of(folder / "checkpoints")
    return f" after step {numbers[-1]}, which {folder / 'checkpoints'} holds" if numbers else " from the start"


def record_of(folder: Path, options: TrainingOptions, init_from: str | None) -> dict[str, Any]:
    """Return the configuration of a run, as its ``config.json`` keeps it."""
    from asr.typed import to_tree

    return {**to_tree(options), "init_from": init_from, "run_dir": str(folder)}


def run_configured(folder: Path, tree: Mapping[str, Any], observers: Sequence[Any]) -> str:
    """Train with the options that a plain mapping of groups holds, such as a run's ``config.json``."""
    from asr.options import TrainingOptions

    groups = {name: group for name, group in tree.items() if name not in ("run_dir", "init_from")}
    return _run(folder, TrainingOptions.from_tree(groups), tree.get("init_from"), observers)


def _run(folder: Path, options: TrainingOptions, init_from: str | None, observers: Sequence[Any]) -> str:
    from asr.training import run_training

    def start() -> Any:
        from asr.export.reopen import reopen

        return reopen(str(init_from))

    record = record_of(folder, options, init_from)
    return run_training(folder, options, start=start if init_from else None, observers=observers, config=record)


def import_training() -> None:
    """Import TensorFlow without its messages.

    Raises:
        MissingExtraError: a package of the train extra is not installed.
    """
    try:
        import asr.training  # noqa: F401
    except ImportError as missing:
        raise MissingExtraError(f"training needs {missing.name}", "train") from missing
