"""asr train recipe=NAME key=value … — train a model, or go on where the same command stopped.

  recipe=NAME          start from recipes/NAME/recipe.yaml
  GROUP=OPTION         another file of conf/: model=bigru, features=mfcc, augment=none …
  key=value            one setting: trainer.epochs=40, trainer.max_minutes=30, model.units=[320,320]
  run_dir=FOLDER       where checkpoints, weights and TensorBoard events go (default runs/NAME)
  init_from=MODEL      begin with the weights of a run folder or a bundle; its model, features, normaliser, but for what
                       you give
  -m, --multirun       a sweep: model.dropout=0.1,0.3 trains each, below run_dir
  --cfg                print the composed configuration and stop

Ctrl-C or SIGTERM ends the step under way and saves a checkpoint (a second Ctrl-C leaves at once); the same
command goes on from it. Settings are composed by Hydra.
"""

from __future__ import annotations

import difflib
import itertools
import json
import sys
from collections.abc import Iterator, Mapping, Sequence, Set
from functools import partial
from pathlib import Path
from typing import Any

from asr.errors import ConfigError, MissingExtraError
from asr.files import share_folder

_OWN = ("recipe=", "run_dir=", "init_from=")
"""Taken as they stand: Hydra's grammar has no place for the blanks and signs that a folder's name may have."""

_TAKEN_OVER = ("model", "features")
"""Groups of settings that come with the weights of ``init_from``."""


def run_raw(argv: Sequence[str]) -> int:
    """Compose, train, and say how it ended."""
    if "-h" in argv or "--help" in argv:
        print(__doc__)
        return 0
    flags = [a for a in argv if a.startswith("-")]
    overrides = [a for a in argv if not a.startswith("-")]
    if unknown := set(flags) - {"-m", "--multirun", "--cfg"}:
        raise ConfigError(f"asr train has no flag {' '.join(sorted(unknown))}; see asr train --help")
    if "--cfg" in flags:
        from omegaconf import OmegaConf

        print(OmegaConf.to_yaml(compose(overrides)))
        return 0
    if {"-m", "--multirun"} & set(flags):
        return _train_each(list(sweep(overrides)))
    return train(compose(overrides))


def _train_each(jobs: Sequence[Sequence[str]]) -> int:
    """Compose every job before the first trains, so that no mistake waits for hours."""
    configs = [compose(job) for job in jobs]
    for number, (job, config) in enumerate(zip(jobs, configs, strict=True), start=1):
        print(f"job {number} of {len(jobs)}: {' '.join(job)}", flush=True)
        train(config)
    return 0


def compose(overrides: Sequence[str]) -> Any:
    """The configuration (DictConfig) of ``key=value`` overrides, ``recipe=NAME`` among them.

    Raises:
        ConfigError: no such recipe, key or option; the message names the nearest right one.
    """
    hydra, instantiate = _hydra()
    recipe, run_dir = _value("recipe", overrides), _value("run_dir", overrides)
    rest = [o for o in overrides if not o.startswith(_OWN)]
    chosen = [f"+{_known_recipe(recipe)}=recipe"] if recipe else []
    search = [f"hydra.searchpath=['file://{share_folder('recipes')}']"]
    with hydra.initialize_config_dir(str(share_folder("conf")), version_base="1.3"):
        base = _composed(hydra, instantiate, search + chosen, None)
        config = _composed(hydra, instantiate, search + chosen + rest, base)
    config.run_dir = run_dir or config.run_dir or f"runs/{recipe or 'train'}"
    given = {o.split("=", 1)[0] for o in rest}
    if config.init_from and recipe:
        given |= _own_settings(recipe)  # written with that model in view
    config.init_from = _value("init_from", overrides) or config.init_from
    if config.init_from:
        _take_over(config, given)
    return config


def _own_settings(recipe: str) -> set[str]:
    """What a recipe's own file, or a recipe it begins with, says of model and features, such as ``model.dropout``."""
    from omegaconf import OmegaConf

    tree: Any = OmegaConf.to_container(OmegaConf.load(share_folder("recipes") / recipe / "recipe.yaml"))
    own = {f"{group}.{key}" for group in ("data", *_TAKEN_OVER) for key in tree.get(group, {})}
    names = [entry for entry in tree.get("defaults", ()) if isinstance(entry, str)]
    others = [name.removeprefix("/").removesuffix("/recipe") for name in names if name.endswith("/recipe")]
    return own.union(*map(_own_settings, others))


def _take_over(config: Any, given: Set[str]) -> None:
    """Model, features and normaliser as ``config.init_from`` has them, but for what is ``given``."""
    from omegaconf import OmegaConf

    theirs = _recorded(config.init_from)
    if "data.normaliser" not in given and "normaliser" in theirs.get("data", {}):
        config.data.normaliser = theirs["data"]["normaliser"]
    for group in _TAKEN_OVER:
        for key, value in theirs.get(group, {}).items():
            if not {group, f"{group}.{key}"} & given:
                OmegaConf.update(config, f"{group}.{key}", value, merge=False)


def _recorded(name_or_folder: str) -> dict[str, Any]:
    """The configuration that a run folder or a bundle was trained with."""
    from asr.bundle import find_bundle, read_card

    run = Path(name_or_folder) / "config.json"
    if run.is_file():
        return dict(json.loads(run.read_text(encoding="utf-8")))
    return dict(read_card(find_bundle(name_or_folder)).get("config", {}))


def sweep(overrides: Sequence[str]) -> Iterator[list[str]]:
    """Each job of a multirun as a list of overrides, its run_dir named by what varies (Hydra's sweep syntax).

    >>> for job in sweep(["recipe=an4", "model.dropout=0.1,0.3"]): print(job)
    ['recipe=an4', 'model.dropout=0.1', 'run_dir=runs/an4/sweep/model.dropout=0.1']
    ['recipe=an4', 'model.dropout=0.3', 'run_dir=runs/an4/sweep/model.dropout=0.3']
    """
    settings = [o for o in overrides if not o.startswith(_OWN)]
    choices, varies = [[o] for o in overrides if o.startswith(("recipe=", "init_from="))], set()
    for text, override in zip(settings, _parsed(settings), strict=True):
        if override.is_sweep_override():
            key = override.get_key_element()
            varies.add(key)
            choices.append([f"{key}={value}" for value in override.sweep_string_iterator()])
        else:
            choices.append([text])
    root = _value("run_dir", overrides) or f"runs/{_value('recipe', overrides) or 'train'}/sweep"
    for job in itertools.product(*choices):
        name = ",".join(o for o in job if o.split("=", 1)[0] in varies).replace("/", "_")
        yield [*job, f"run_dir={root}/{name}" if name else f"run_dir={root}"]


def _value(key: str, overrides: Sequence[str]) -> str | None:
    return next((o.split("=", 1)[1] for o in overrides if o.startswith(f"{key}=")), None)


def _parsed(overrides: list[str]) -> Sequence[Any]:
    _, exceptions = _hydra()
    from hydra.core.override_parser.overrides_parser import OverridesParser

    try:
        return OverridesParser.create().parse_overrides(overrides)
    except exceptions as fault:
        raise ConfigError(" ".join(str(fault).split())) from fault


def train(config: Any) -> int:
    """Train as ``config`` says; 0 when done or out of minutes."""
    from omegaconf import OmegaConf

    missing = OmegaConf.missing_keys(config)
    if missing:
        raise ConfigError(f"{', '.join(sorted(missing))} must be given: a recipe=NAME, or key=value")
    tree: Any = OmegaConf.to_container(config, resolve=True)
    _import_training()
    from asr.training.display import Display
    from asr.training.events import EventLog
    from asr.training.run_folder import finished, same_run

    folder = Path(tree["run_dir"])
    if finished(folder):
        same_run(folder, tree)
        print(f"{folder} is trained; its weights are in final.npz")
        return 0
    with Display() as display:
        try:
            reason = run_configured(folder, tree, [display, EventLog(folder)])
        except KeyboardInterrupt:
            print(f"stopped; the same command goes on{_since_when(folder)}", file=sys.stderr)
            raise
    print(f"{folder}: " + ("out of minutes; the same command goes on" if reason == "minutes" else f"done ({reason})"))
    return 0


def _since_when(folder: Path) -> str:
    newest = max((folder / "checkpoints").glob("[0-9]*.json"), default=None, key=lambda p: int(p.stem))
    return f" after step {int(newest.stem)}, which {newest.parent} holds" if newest else " from the start"


def run_configured(folder: Path, tree: dict[str, Any], observers: Sequence[Any]) -> str:
    """``run_training`` with the options that a configuration's groups hold."""
    from asr.training import run_training

    return run_training(folder, **training_options(tree), observers=observers, config=tree)


def training_options(tree: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration's groups as the options of ``run_training``.

    Raises:
        ConfigError: a value, or a key that was added with ``+``, makes no sense.
    """
    from asr.training import AugmentOptions, DataOptions, OptimizerOptions, TrainerOptions

    data, features = dict(tree["data"]), dict(tree["features"])
    batch_s, cmvn = data.pop("batch_s"), features.pop("cmvn")
    start = tree.get("init_from")
    try:
        return {
            "data": DataOptions(**data),
            "features": features,
            "cmvn": cmvn,
            "model": tree["model"],
            "augment": AugmentOptions(**tree["augment"]),
            "optimizer": OptimizerOptions(**tree["optimizer"]),
            "trainer": TrainerOptions(**tree["trainer"]),
            "batch_s": batch_s,
            "start": partial(_reopened, start) if start else None,
        }
    except TypeError as fault:
        raise ConfigError(f"no such setting: {fault}") from fault


def _reopened(name_or_folder: str) -> Any:
    from asr.export.reopen import reopen

    return reopen(name_or_folder)


def recipe_names() -> list[str]:
    """The recipes there are."""
    return sorted(p.parent.name for p in share_folder("recipes").glob("*/recipe.yaml"))


def _known_recipe(name: str) -> str:
    if name not in recipe_names():
        raise ConfigError(f"no recipe {name!r}{nearest(name, recipe_names())}")
    return name


def nearest(word: str, words: Sequence[str]) -> str:
    """A hint to append to an error: the nearest of ``words``, or all of them.

    >>> nearest("trainer.epohcs", ["trainer.epochs", "trainer.seed"])
    '; did you mean trainer.epochs?'
    """
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(words)}"


def _composed(hydra: Any, exceptions: tuple[type[Exception], ...], overrides: list[str], base: Any) -> Any:
    if base is not None:
        _check_keys(overrides, base)
    try:
        return hydra.compose("train", overrides=overrides)
    except exceptions as fault:
        raise ConfigError(" ".join(str(fault).split())) from fault


def _check_keys(overrides: Sequence[str], base: Any) -> None:
    """Each override's key is in the composed configuration, or names a group; else the nearest right one is said."""
    keys = sorted(_keys(base))
    groups = sorted(p.name for p in share_folder("conf").iterdir() if p.is_dir())
    for override in overrides:
        key = override.split("=", 1)[0]
        if key.startswith(("+", "~", "hydra")):
            continue
        if "=" not in override:
            raise ConfigError(f"{override!r} is no setting; key=value is needed")
        if key in groups:
            options = sorted(p.stem for p in (share_folder("conf") / key).glob("*.yaml"))
            value = override.split("=", 1)[1]
            if value not in options:
                raise ConfigError(f"no {key} {value!r}{nearest(value, options)}")
        elif key not in keys:
            raise ConfigError(f"no setting {key!r}{nearest(key, [*keys, *groups, 'recipe'])}")


def _keys(node: Any, prefix: str = "") -> Iterator[str]:
    from omegaconf import DictConfig

    for key in node:
        yield prefix + key
        if isinstance(child := node._get_node(key), DictConfig):
            yield from _keys(child, f"{prefix}{key}.")


def _hydra() -> tuple[Any, tuple[type[Exception], ...]]:
    try:
        import hydra
        from hydra.errors import HydraException
        from omegaconf.errors import OmegaConfBaseException
    except ImportError as missing:
        raise MissingExtraError("training needs Hydra and TensorFlow; pip install 'asr[train]'") from missing
    return hydra, (HydraException, OmegaConfBaseException)


def _import_training() -> None:
    try:
        import asr.training  # noqa: F401
    except ImportError as missing:
        raise MissingExtraError(f"training needs {missing.name}; pip install 'asr[train]'") from missing
