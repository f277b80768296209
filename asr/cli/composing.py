"""Composition of configurations by Hydra, with the settings of ``init_from`` and one-line errors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from hydra import version
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.default_element import ResultDefault
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.errors import HydraException, MissingConfigException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from asr.cli import structured
from asr.cli.config_faults import explained
from asr.cli.recipe_source import GROUP, RecipeSource
from asr.errors import ConfigError
from asr.files import share_folder
from asr.options import ModelOptions, TrainingOptions, features_from_tree
from asr.stored_json import read_json
from asr.typed import from_tree, nearest, to_tree, types_of

CONFIG = "train"
TAKEN_OVER = ("model", "features")
"""Groups of settings that are taken over from the model of ``init_from``."""


def application(config_dir: str | None = None) -> Hydra:
    """Make a Hydra application that reads ``conf/``, recipes and the user's ``config_dir``; `GlobalHydra` holds it.

    Raises:
        ConfigError: ``config_dir`` is not a folder.
    """
    version.setbase("1.3")
    structured.register()
    Plugins.instance().register(RecipeSource)
    path = create_config_search_path(f"file://{share_folder('conf').absolute()}")
    schema = SearchPathQuery(provider="schema")
    path.prepend(provider="recipes", path=f"{RecipeSource.scheme()}://", anchor=schema)
    if config_dir is not None:
        if not Path(config_dir).is_dir():
            raise ConfigError(f"--config-dir {config_dir}: there is no such folder")
        path.prepend(provider="command-line", path=f"file://{Path(config_dir).absolute()}", anchor=schema)
    GlobalHydra.instance().clear()
    app = Hydra(task_name=CONFIG, config_loader=Composer(path))
    GlobalHydra.instance().initialize(app)
    return app


def compose(overrides: Sequence[str], config_dir: str | None = None) -> DictConfig:
    """Compose the configuration for ``key=value`` overrides, which may include ``recipe=NAME``.

    Raises:
        ConfigError: there is no such recipe, key or option; the message names the nearest right one.
    """
    app = application(config_dir)
    try:
        config = app.compose_config(CONFIG, quoted(overrides), run_mode=RunMode.RUN)
    finally:
        GlobalHydra.instance().clear()
    with open_dict(config):
        del config["hydra"]
    return config


def options_of(config: DictConfig) -> TrainingOptions:
    """Return a configuration's groups as the options of ``run_training``.

    Raises:
        ConfigError: a setting is missing, an interpolation names no setting, or a value makes no sense.
    """
    try:
        names = [name for name in types_of(TrainingOptions) if not OmegaConf.is_missing(config, name)]
        lacking = set(types_of(TrainingOptions)) - {*names}
        missing = lacking.union(*(OmegaConf.missing_keys(config[name]) for name in names))
        groups: Any = {name: OmegaConf.to_container(config[name], resolve=True) for name in names}
    except OmegaConfBaseException as fault:
        raise explained(fault) from fault
    if missing:
        raise ConfigError(f"{', '.join(sorted(missing))} must be given: a recipe=NAME, or key=value")
    return TrainingOptions.from_tree(groups)


_PATHS = ("run_dir=", "init_from=", f"{GROUP}=", "hydra.run.dir=", "hydra.sweep.dir=")


def quoted(overrides: Sequence[str]) -> list[str]:
    """Put quotation marks around names of folders that Hydra's grammar does not accept, such as those with blanks.

    >>> quoted(["run_dir=my run (a=1)", "model.units=[3]", "run_dir=runs/a"])
    ["run_dir='my run (a=1)'", 'model.units=[3]', 'run_dir=runs/a']
    """
    return [_quoted(one) if one.startswith(_PATHS) else one for one in overrides]


def _quoted(override: str) -> str:
    key, value = override.split("=", 1)
    written = value[:1] == value[-1:] and value[:1] in ("'", '"')
    if written or not set(value) & set(" ()[]{}=:;&!^~#,\"'") or _is_sweep(override):
        return override
    escaped = value.replace("'", "\\'")
    return f"{key}='{escaped}'"


def _is_sweep(override: str) -> bool:
    try:
        return OverridesParser.create().parse_override(override).is_sweep_override()
    except HydraException:
        return False


def file_name(text: str) -> str:
    """Make a text the name of one file, without slashes and short enough for any file system.

    >>> file_name("data.train=[a/b],model.dropout=0.1")
    'data.train=[a_b],model.dropout=0.1'
    """
    name = text.replace("/", "_")
    return name if len(name.encode()) <= 200 else f"{name[:120]}~{hashlib.sha256(text.encode()).hexdigest()[:12]}"


OmegaConf.register_new_resolver("file_name", file_name, replace=True)  # at every import, and so in workers too


class Composer(ConfigLoaderImpl):
    """Hydra's configuration loader with our checks, for this process and for those that launchers start."""

    def load_configuration(
        self,
        config_name: str | None,
        overrides: list[str],
        run_mode: RunMode,
        from_shell: bool = True,
        validate_sweep_overrides: bool = True,
    ) -> DictConfig:
        """Load the composed configuration, with Hydra's own node ``hydra``.

        Raises:
            ConfigError: an override or a file has a mistake, which the message states in one line.
        """
        try:
            config = super().load_configuration(config_name, overrides, run_mode, from_shell, validate_sweep_overrides)
            _refuse_unknown(config)
            files = self.compute_defaults_list(config_name, overrides, run_mode).defaults
            _name_folders(config)
            if config.get("init_from"):
                _take_over(config, _given(config, [self._content(one) for one in files if _is_of_all_groups(one)]))
            _check_interpolations(config, [str(one.config_path) for one in files], self)
        except MissingConfigException as fault:
            raise explained(fault, self, _sought(fault, overrides)) from fault
        except (HydraException, OmegaConfBaseException, YAMLError, ValueError, RecursionError) as fault:
            raise explained(fault, self) from fault
        return config

    def _content(self, default: ResultDefault) -> DictConfig:
        """Return the content of one file, not composed."""
        loaded = self.repository.load_config(str(default.config_path))
        return loaded.config if loaded and isinstance(loaded.config, DictConfig) else OmegaConf.create()


def _refuse_unknown(config: DictConfig) -> None:
    """Refuse settings that ``+group.key=value`` added although no class of options has them.

    Raises:
        ConfigError: there is such a setting; the message gives the nearest right name.
    """
    kinds = types_of(TrainingOptions)
    for group in (name for name in kinds if not OmegaConf.is_missing(config, name)):
        known = OmegaConf.get_type(config[group])
        names = list(types_of(known)) if is_dataclass(known) else list(config[group])
        for key in (key for key in config[group] if key not in names):
            keys = [f"{group}.{name}" for name in names]
            raise ConfigError(f"no setting '{group}.{key}'{nearest(f'{group}.{key}', keys)}")


def _sought(fault: MissingConfigException, overrides: Sequence[str]) -> tuple[str, list[str]] | None:
    """Return the name of a missing option and the configs that may name it; None where an override names it."""
    option = str(fault.missing_cfg_file).rpartition("/")[2]
    if not str(fault).startswith(f"In '{CONFIG}'") or any(option in one for one in overrides):
        return None
    return option, [one.lstrip("+").replace("=", "/", 1) for one in overrides]


def _is_of_all_groups(default: ResultDefault) -> bool:
    """Tell whether a file may set any group: a recipe, one that a recipe builds on, or a user's own file."""
    return not default.primary and not default.package and default.config_path != "schema"


def _check_interpolations(config: DictConfig, files: Sequence[str], loader: Composer) -> None:
    """Resolve each interpolation, except those of values that Hydra knows only when a job begins.

    Raises:
        ConfigError: an interpolation cannot be resolved; the message names its file and key.
    """
    for key in (key for key in config if key != "hydra"):
        for parent, name, raw in _interpolations(config, key):
            try:
                parent[name]
            except OmegaConfBaseException as fault:
                fault.full_key = parent._get_full_key(name)
                given = any(raw in override for override in task_overrides(config))
                raise explained(fault, loader, None if given else (raw, files)) from fault


def _interpolations(parent: Any, key: Any) -> Iterator[tuple[Any, Any, str]]:
    node = parent._get_node(key)
    if node._is_interpolation():
        if "hydra" not in node._value():
            yield parent, key, node._value()
    elif OmegaConf.is_config(node) and not node._is_none() and not node._is_missing():
        for inner in range(len(node)) if OmegaConf.is_list(node) else node:
            yield from _interpolations(node, inner)


def _name_folders(config: DictConfig) -> None:
    """Name the folders after the recipe, unless ``run_dir`` is given."""
    if config.get("run_dir", "") is not None:
        return
    recipe = config.hydra.runtime.choices.get(GROUP)
    config.run_dir = f"runs/{Path(recipe).resolve().name if recipe else CONFIG}"
    if config.hydra.sweep._get_node("dir")._value() == "${run_dir}":
        config.hydra.sweep.dir = f"{config.run_dir}/sweep"


def task_overrides(config: DictConfig) -> list[str]:
    """Return the overrides, as written, that a configuration was composed with, except Hydra's own."""
    written: Any = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)
    overrides: list[str] = written
    return overrides


def _given(config: DictConfig, files: Sequence[DictConfig]) -> set[str]:
    """Return the settings of model and features that override those of ``init_from``.

    They are the settings on the command line, and those of a recipe that names ``init_from`` itself, because these were
    written for that model.
    """
    parsed = OverridesParser.create().parse_overrides(task_overrides(config))
    given = {override.key_or_group for override in parsed}
    if any(file.get("init_from") for file in files):
        groups = ("data", *TAKEN_OVER)
        given |= {f"{group}.{key}" for file in files for group in groups for key in file.get(group) or ()}
    return given


def _take_over(config: DictConfig, given: set[str]) -> None:
    """Put model, features and normaliser of ``config.init_from`` into ``config``, except settings in ``given``."""
    theirs = _recorded(config.init_from)
    normaliser = theirs.get("data", {}).get("normaliser")
    if normaliser is not None and not {"data", "data.normaliser"} & given:
        _refuse_interpolation(config.init_from, "data.normaliser", normaliser)
        config.data.normaliser = normaliser
    for group in TAKEN_OVER:
        if group in given or group not in theirs:
            continue
        _refuse_interpolation(config.init_from, group, theirs[group])
        try:
            options = features_from_tree(theirs[group]) if group == "features" else _model_from_tree(theirs[group])
        except ConfigError as fault:
            raise ConfigError(f"init_from: {config.init_from} was trained otherwise: {fault}") from fault
        kind: Any = type(options)
        made = OmegaConf.merge(OmegaConf.structured(structured.twin(kind)), to_tree(options))
        for key in (key.removeprefix(f"{group}.") for key in given if key.startswith(f"{group}.")):
            if key not in made:
                raise ConfigError(f"init_from: {config.init_from} has no {group}.{key}")
            OmegaConf.update(made, key, config[group]._get_node(key), merge=False)
        config[group] = made


def _model_from_tree(tree: Any) -> ModelOptions:
    return from_tree(ModelOptions, tree, "model")


def _recorded(name_or_folder: str) -> Mapping[str, Any]:
    """Return the configuration that a run folder or a bundle was trained with."""
    from asr.bundle import find_bundle
    from asr.card import read_card

    run = Path(name_or_folder) / "config.json"
    if run.is_file():
        return _settings(run, lambda: read_json(run))
    bundle = find_bundle(name_or_folder)
    return _settings(bundle / "card.json", lambda: read_card(bundle).config)


def _settings(path: Path, read: Callable[[], Any]) -> Mapping[str, Any]:
    """Return the settings that ``read`` finds in ``path``: groups of settings, by name."""
    try:
        found = read()
    except (OSError, ValueError) as fault:
        raise ConfigError(f"init_from: {path} cannot be read: {fault}") from fault
    if not isinstance(found, Mapping) or not isinstance(found.get("data", {}), Mapping):
        raise ConfigError(f"init_from: {path} does not say how its model was trained")
    return found


def _refuse_interpolation(start: str, where: str, value: Any) -> None:
    """Refuse text that OmegaConf would resolve, because a bundle must not read this machine's environment.

    Raises:
        ConfigError: a text contains ``${``; the message names its key.
    """
    if isinstance(value, Mapping):
        for key, one in value.items():
            _refuse_interpolation(start, f"{where}.{key}", one)
    elif isinstance(value, list):
        for place, one in enumerate(value):
            _refuse_interpolation(start, f"{where}[{place}]", one)
    elif isinstance(value, str) and "${" in value:
        raise ConfigError(f"init_from: {start} was trained with {where}={value!r}, which is no plain value")
