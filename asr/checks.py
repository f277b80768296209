"""Checks of settings that name the setting at fault."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from asr.errors import ConfigError


def check_number(name: str, value: Any, low: float, high: float = math.inf, *, whole: bool = False) -> None:
    """Refuse a value that is not a number from ``low`` to ``high``.

    Raises:
        ConfigError: the value is not such a number.

    >>> check_number("trainer.epochs", "ten", 1, whole=True)
    Traceback (most recent call last):
    asr.errors.ConfigError: trainer.epochs must be a whole number from 1 on, got 'ten'
    """
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high or math.isinf(value):
        limits = f"from {low:g} on" if math.isinf(high) else f"from {low:g} to {high:g}"
        raise ConfigError(f"{name} must be a {'whole ' if whole else ''}number {limits}, got {value!r}")


def check_choice(name: str, value: Any, choices: Sequence[str]) -> None:
    """Refuse a value that is not one of ``choices``.

    Raises:
        ConfigError: the value is not one of them.
    """
    if value not in choices:
        raise ConfigError(f"{name} is {' or '.join(choices)}, got {value!r}")


def check_list(name: str, value: Any) -> None:
    """Refuse a value that is not a list of strings.

    Raises:
        ConfigError: the value is not such a list.
    """
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(v, str) for v in value):
        raise ConfigError(f"{name} is a list of names, got {value!r}; write {name}=[{value}]")
