"""Hydra's structured configs, made from the library's frozen dataclasses of options.

OmegaConf treats a frozen dataclass as a read-only configuration and does not know ``Sequence``. So each class of
options has a twin for OmegaConf with the same names, types and defaults, but with lists for sequences, and not frozen.
The twins are attributes of this module, made when it is imported, so that other processes can unpickle them.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from functools import cache
from typing import Any, get_args, get_origin

from hydra.core.config_store import ConfigStore
from omegaconf import MISSING

from asr.features import FEATURES
from asr.options import TrainingOptions
from asr.typed import element_of, is_list, split_optional, types_of


def register() -> None:
    """Store the twin of `asr.options.TrainingOptions`, and one of each kind of features, in Hydra's ConfigStore."""
    store = ConfigStore.instance()
    store.store(name="schema", node=_ROOT, provider="asr")
    for kind, options in _FEATURES.items():
        store.store(group="schema/features", name=kind, node=options, provider="asr")


@cache
def twin(options: Any) -> type:
    """Return the configuration class of a class of options."""
    kinds = types_of(options)
    return _made(options.__name__, [(f.name, _kind(kinds[f.name]), _default(f)) for f in dataclasses.fields(options)])


def _made(name: str, fields: list[tuple[str, Any, Any]]) -> type:
    cls = dataclasses.make_dataclass(name, [(key, kind, _field(value)) for key, kind, value in fields])
    cls.__module__ = __name__
    globals()[name] = cls
    return cls


def _field(default: Any) -> Any:
    """Return a dataclass' field; each instance has its own copy of a list."""
    return dataclasses.field(default_factory=lambda: list(default)) if isinstance(default, list) else default


def _kind(kind: Any) -> Any:
    inner, optional = split_optional(kind)
    if dataclasses.is_dataclass(inner):
        inner = twin(inner)  # type: ignore[arg-type]
    elif is_list(inner):
        inner = list[_kind(element_of(inner)[0])]  # type: ignore[misc]
    elif isinstance(get_origin(inner), type) and issubclass(get_origin(inner), Mapping):
        inner = dict[str, _kind(get_args(inner)[1])]  # type: ignore[misc]
    return inner | types.NoneType if optional else inner


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is dataclasses.MISSING:
        return MISSING
    return _plain(field.default)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return twin(type(value))(**{f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)})
    return value


_ROOT = _made(
    "Training",
    [(name, twin(kind), MISSING) for name, kind in types_of(TrainingOptions).items() if name != "features"]
    + [("features", Any, MISSING), ("init_from", str | None, None), ("run_dir", str | None, None)],
)
_FEATURES = {kind: twin(options) for kind, options in FEATURES.items()}
