"""Conversion of plain mappings, as in YAML and JSON, to frozen dataclasses and back; errors name the key at fault.

Only the dataclass states names, types and defaults. A mapping may leave out keys that have a default. A field whose
name would be a keyword of Python ends with an underscore, which its key does not have.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from asr.errors import ConfigError

T = TypeVar("T")

_WORDS = {
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "true or false",
    Path: "the name of a file or folder",
}
_PLURALS = {int: "whole numbers", float: "numbers", str: "names", bool: "flags", Path: "names of files"}


def types_of(cls: Any) -> dict[str, Any]:
    """Return the name and type of every field of a dataclass, in order."""
    return _types_of(cls)


@cache
def _types_of(cls: Any) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def split_optional(kind: Any) -> tuple[Any, bool]:
    """Return a type without its ``None``, and whether it had one.

    >>> split_optional(int | None)
    (<class 'int'>, True)
    """
    if get_origin(kind) in (Union, types.UnionType):
        others = [one for one in get_args(kind) if one is not type(None)]
        if len(others) == 1:
            return others[0], True
    return kind, False


def describe(kind: Any) -> str:
    """Describe in words the values that ``kind`` accepts.

    >>> describe(Sequence[int]), describe(float | None), describe(tuple[int, int])
    ('a list of whole numbers', 'a number or null', 'a list of 2 whole numbers')
    """
    kind, optional = split_optional(kind)
    return f"{_described(kind)} or null" if optional else _described(kind)


def _described(kind: Any) -> str:
    if dataclasses.is_dataclass(kind):
        return f"a mapping with the keys {', '.join(types_of(kind))}"
    if is_list(kind):
        element, count = element_of(kind)
        of = _PLURALS.get(element, "mappings" if dataclasses.is_dataclass(element) else "lists")
        return f"a list of {f'{count} ' if count else ''}{of}"
    if get_origin(kind) is Literal:
        return " or ".join(map(str, get_args(kind)))
    if get_origin(kind) is not None:
        return "a mapping"
    return _WORDS.get(kind, "a value")


def is_list(kind: Any) -> bool:
    """Tell whether values of ``kind`` are lists."""
    return get_origin(kind) in (Sequence, list, tuple)


def element_of(kind: Any) -> tuple[Any, int | None]:
    """Return the type of a list's elements, and the number that it must have; None where any number is allowed.

    >>> element_of(tuple[int, int]), element_of(Sequence[str])
    ((<class 'int'>, 2), (<class 'str'>, None))
    """
    arguments = get_args(kind)
    fixed = get_origin(kind) is tuple and arguments[-1] is not Ellipsis
    return arguments[0], len(arguments) if fixed else None


def from_tree(cls: type[T], tree: Any, where: str = "") -> T:
    """Build a dataclass from a mapping.

    Args:
        cls: a dataclass of numbers, texts, paths, lists, mappings from text to these, and other dataclasses.
        tree: the mapping, as YAML or JSON holds it.
        where: the key of the mapping in the whole tree, such as ``trainer``; messages begin with it.

    Raises:
        ConfigError: a key is missing or unknown, or a value is of another type.
    """
    if not isinstance(tree, Mapping):
        raise ConfigError(f"{where or cls.__name__} must be {describe(cls)}, got {tree!r}")
    kinds = {name.removesuffix("_"): kind for name, kind in types_of(cls).items()}
    names = {name.removesuffix("_"): name for name in types_of(cls)}
    if unknown := [str(key) for key in tree if key not in kinds]:
        key, keys = _joined(where, unknown[0]), [_joined(where, name) for name in kinds]
        raise ConfigError(f"no setting {key!r}{nearest(key, keys)}")
    needed = [key for f in dataclasses.fields(cls) if _is_needed(f) and (key := f.name.removesuffix("_")) not in tree]  # type: ignore[arg-type]
    if needed:
        raise ConfigError(f"{_joined(where, needed[0])} must be given: {describe(kinds[needed[0]])}")
    return cls(**{names[key]: _value(kinds[key], value, _joined(where, key)) for key, value in tree.items()})


def _is_needed(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _joined(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _value(kind: Any, value: Any, where: str) -> Any:
    inner, optional = split_optional(kind)
    if value is None and optional:
        return None
    if dataclasses.is_dataclass(inner):
        return from_tree(inner, value, where)  # type: ignore[arg-type]
    if is_list(inner):
        return _list(inner, value, where)
    if isinstance(get_origin(inner), type) and issubclass(get_origin(inner), Mapping):
        if not isinstance(value, Mapping):
            raise wrong_type(where, kind, value)
        return {str(key): _value(get_args(inner)[1], one, f"{where}.{key}") for key, one in value.items()}
    if inner is Any:
        return value
    if get_origin(inner) is Literal:
        if value not in get_args(inner):
            raise wrong_type(where, kind, value)
        return value
    if inner is Path and isinstance(value, str) and value:
        return Path(value)
    if inner is float and isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, inner) or (isinstance(value, bool) and inner is not bool):
        raise wrong_type(where, kind, value)
    return value


def _list(kind: Any, value: Any, where: str) -> tuple[Any, ...]:
    element, count = element_of(kind)
    if isinstance(value, str) or not isinstance(value, Sequence) or count not in (None, len(value)):
        raise wrong_type(where, kind, value)
    return tuple(_value(element, one, f"{where}[{place}]") for place, one in enumerate(value))


def wrong_type(where: str, kind: Any, value: Any) -> ConfigError:
    """Return the error that says which values a key accepts, and which one it got.

    >>> print(wrong_type("model.units", Sequence[int], 320))
    model.units must be a list of whole numbers, got 320; write model.units=[320]
    """
    inner, _ = split_optional(kind)
    one = is_list(inner) and isinstance(value, int | float | str) and not isinstance(value, bool)
    hint = f"; write {where}=[{value}]" if one and element_of(inner)[1] is None else ""
    return ConfigError(f"{where} must be {describe(kind)}, got {value!r}{hint}")


def to_tree(value: Any, *, without_none: bool = False) -> Any:
    """Return a dataclass as plain mappings, lists, numbers and texts, as JSON and YAML have them.

    >>> to_tree((Path("a/b"), None, 1))
    ['a/b', None, 1]

    Args:
        value: the dataclass, or another value that such a tree may hold.
        without_none: whether fields of dataclasses are left out that are None, as they are by default.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        held = {f.name.removesuffix("_"): (getattr(value, f.name), f.default) for f in dataclasses.fields(value)}
        said = {k: one for k, (one, usual) in held.items() if not (without_none and one is usual is None)}
        return to_tree(said, without_none=without_none)
    if isinstance(value, Mapping):
        return {key: to_tree(one, without_none=without_none) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [to_tree(one, without_none=without_none) for one in value]
    return str(value) if isinstance(value, Path) else value


def nearest(word: str, words: Sequence[str]) -> str:
    """Return a hint to append to an error: the nearest of ``words``, or all of them.

    >>> nearest("trainer.epohcs", ["trainer.epochs", "trainer.seed"])
    '; did you mean trainer.epochs?'
    """
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(words)}"
