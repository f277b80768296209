"""One-line forms of Hydra's and OmegaConf's errors, with file, key, given value, accepted values and nearest name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf, ValueNode
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    GrammarParseError,
    InterpolationKeyError,
    InterpolationResolutionError,
    OmegaConfBaseException,
    UnsupportedInterpolationType,
    ValidationError,
)

from asr.cli.recipe_source import GROUP, file_of
from asr.distribution import install_command
from asr.errors import ConfigError
from asr.features import FEATURES
from asr.options import TrainingOptions
from asr.typed import element_of, is_list, nearest, split_optional, types_of, wrong_type

if TYPE_CHECKING:
    from asr.cli.composing import Composer

_INTERPOLATION = (
    InterpolationKeyError,
    InterpolationResolutionError,
    UnsupportedInterpolationType,
    GrammarParseError,
)


def explained(
    fault: Exception, loader: Composer | None = None, sought: tuple[str, Sequence[str]] | None = None
) -> ConfigError:
    """Return an error in composing a configuration as a `ConfigError` with one line.

    Args:
        fault: the error that Hydra, OmegaConf or the YAML reader raised.
        loader: the loader that composed; it knows files and groups.
        sought: a text in the file with the mistake, and the configs that were read; None where the error itself names
            the file, or the mistake is on the command line.
    """
    where = _file_with(*sought, loader) if sought else _file(fault, loader)
    return ConfigError(f"{where}: {_message(fault, loader)}" if where else _message(fault, loader))


def _message(fault: Exception, loader: Composer | None) -> str:
    chain = list(_chain(fault))
    core = next((one for one in chain if isinstance(one, OmegaConfBaseException)), None)
    if isinstance(fault, OverrideParseException):
        return _of_grammar(fault)
    if isinstance(fault, yaml.MarkedYAMLError):
        return _line(fault.problem or fault)
    if isinstance(fault, MissingConfigException) and fault.missing_cfg_file:
        return _of_missing(fault, loader)
    if core is not None:
        return _of_value(core, str(fault))
    if lacking := re.search(r"Could not override '([^'@]+)(@[^']*)?'", str(fault)):
        return f"no setting {lacking[1]!r}{_nearest(lacking[1], setting_keys())}"
    if ambiguous := re.match(r"Ambiguous value for argument '(.*?)=(.*)'\n", str(fault)):
        return f"{ambiguous[1]} has several values: -m trains each, {ambiguous[1]}=[{ambiguous[2]}] is a list"
    return _line(str(fault).removeprefix(f"In '{_config(fault)}': "))


def _chain(fault: BaseException | None) -> Iterator[BaseException]:
    while fault is not None:
        yield fault
        fault = fault.__cause__ or fault.__context__


def _line(message: object) -> str:
    return " ".join(str(message).split())


def _of_grammar(fault: OverrideParseException) -> str:
    if "=" not in fault.override and not fault.override.startswith("~"):
        return f"{fault.override!r} is no setting; key=value is needed"
    first = str(fault.message).splitlines()[0]
    return f"{fault.override!r} cannot be read: {_line(first)}; a text with signs or blanks needs quotation marks"


def _of_missing(fault: MissingConfigException, loader: Composer | None) -> str:
    missing = str(fault.missing_cfg_file)
    group, _, option = missing.partition("/") if missing.startswith(f"{GROUP}/") else missing.rpartition("/")
    if not group:
        return _line(str(fault).partition("\n")[0])
    if option == GROUP:  # the form in older recipes
        return f"no {group}/{option}; a recipe begins with another by '- {group}' in its defaults"
    options = list(fault.options or (loader.get_group_options(group) if loader else ()))
    plugin = f"; other ones are plugins: {install_command('sweep')}" if group.startswith("hydra/") else ""
    return f"no {group} {option!r}{nearest(option, options) if options else ''}{plugin}"


def _of_value(core: OmegaConfBaseException, whole: str) -> str:
    """Return a message about a wrong key or a wrong value."""
    key = re.sub(r"\.(?=\[)", "", str(core.full_key or core.key or ""))
    if isinstance(core, _INTERPOLATION):
        return _of_interpolation(core, key)
    if isinstance(core, ConfigKeyError | ConfigAttributeError):
        if key.startswith("hydra."):
            return f"no setting {key!r}; asr train --hydra-help says what Hydra has"
        return f"no setting {key!r}{_nearest(key, _neighbours(core, key))}"
    merged = re.match(r"Merge error: \w+ is not a subclass of (\w+)\. value: (.*)", str(core))
    for group, options in types_of(TrainingOptions).items() if merged else ():
        if merged and options.__name__ == merged[1]:
            return str(wrong_type(group, options, yaml.safe_load(merged[2])))
    kind = kind_of(key)
    if isinstance(core, ValidationError) and kind is not None:
        return str(wrong_type(key, kind, _value(core, key, whole)))
    return f"{key}: {_line(core.msg or core)}" if key else _line(core.msg or core)


def _neighbours(core: OmegaConfBaseException, key: str) -> list[str]:
    """Return the keys beside an unknown one, or all keys where its place is not known."""
    parent, place = core.parent_node, key.rpartition(".")[0]
    if not isinstance(parent, DictConfig) or "hydra" in parent or "data" in parent:
        return setting_keys()
    names = [str(name) for name in parent]
    return [f"{place}.{name}" if place else name for name in names]


def _nearest(word: str, words: Sequence[str]) -> str:
    hint = nearest(word, words)
    return hint if "did you mean" in hint or len(words) < 30 else "; asr train --cfg job shows them all"


def _value(core: OmegaConfBaseException, key: str, whole: str) -> Any:
    """Return the refused value; None where the error does not hold it."""
    value = core.value._value() if isinstance(core.value, ValueNode) else core.value
    if value is not None:
        return OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
    given = re.search(rf"Error merging override \+*{re.escape(key)}=(.*)", whole)
    if given:
        return yaml.safe_load(given[1])
    quoted = re.search(r"Value '(.*?)' of type", str(core.msg))
    return quoted[1] if quoted else None


def _of_interpolation(core: OmegaConfBaseException, key: str) -> str:
    named = re.search(r"Interpolation key '(.*?)' not found", str(core))
    if named:
        return f"{key} is ${{{named[1]}}}, and there is no setting {named[1]!r}{_nearest(named[1], setting_keys())}"
    variable = re.search(r"Environment variable '(.*?)' not found", str(core))
    if variable:
        return f"{key} is ${{oc.env:{variable[1]}}}, and no environment variable has this name"
    return f"{key}: {_line(core.msg or core)}"


def setting_keys() -> list[str]:
    """Return the key of every setting, such as ``trainer.epochs``, the groups' names, and the keys outside groups."""
    keys = []
    for group, options in types_of(TrainingOptions).items():
        kinds = FEATURES.values() if group == "features" else [options]
        keys += [group, *dict.fromkeys(f"{group}.{key}" for kind in kinds for key in types_of(kind))]
    return [*keys, "init_from", "run_dir", GROUP]


def kind_of(key: str) -> Any:
    """Return the type of a setting, such as ``model.convolution[0].filters``; None if there is none."""
    kind: Any = TrainingOptions
    for part in re.findall(r"[^.\[\]]+", key):
        kind, _ = split_optional(kind)
        if part.isdigit() and is_list(kind):
            kind = element_of(kind)[0]
        elif is_dataclass(kind):
            kinds = types_of(kind)
            if kind in FEATURES.values() and part not in kinds:
                kinds = {name: one for options in FEATURES.values() for name, one in types_of(options).items()}
            kind = kinds.get(part)
        else:
            return None
    return None if kind is TrainingOptions else kind


def _config(fault: Exception) -> str | None:
    """Return the path of the config that one of Hydra's errors names, such as ``recipe/an4``."""
    named = re.match(r"In '([^']+)'", str(fault))
    return named[1] if named else None


def _file(fault: Exception, loader: Composer | None) -> str | None:
    """Return the file with the mistake, if the error names one; None for a mistake on the command line."""
    if isinstance(fault, yaml.MarkedYAMLError) and fault.problem_mark:
        return f"{fault.problem_mark.name}:{fault.problem_mark.line + 1}"
    path = _config(fault)
    if path is None or path == "train" or path.startswith("hydra/"):
        return None
    found = _place(path, loader)
    return str(found) if found else path


def _place(path: str, loader: Composer | None) -> Path | None:
    """Return the file of a config such as ``model/bilstm`` or ``recipe/an4``; None if it is not in a file."""
    if path.startswith(f"{GROUP}/"):
        return file_of(path)
    for source in loader.get_sources() if loader else ():
        if source.scheme() == "file" and source.is_config(path):
            return Path(source.path) / f"{path}.yaml"
    return None


def _file_with(text: str, paths: Sequence[str], loader: Composer | None) -> str | None:
    """Return the last of the files read that contains a text."""
    places = [place for path in paths if (place := _place(path, loader))]
    return next((str(place) for place in reversed(places) if text in place.read_text(encoding="utf-8")), None)
