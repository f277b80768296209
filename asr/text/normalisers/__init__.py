"""Normalisers, which turn a transcript into the text that a model learns to write, or into the text that is scored.

A normaliser is one file in this folder. Its name is the name of the file, which holds a function
``normalise(text) -> str``, and the first line of its docstring says what it writes. It may also hold
``normalise_lines(text) -> str``, a faster way for many lines at once. To add a language, add a file: nothing else lists
them. Files whose names begin with ``_`` hold what normalisers share.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from asr.errors import ConfigError

FOR_TRAINING = "letters"
"""The normaliser of a training run that does not name one."""

FOR_SCORING = "letters_and_digits"
"""The normaliser for scoring where neither the user nor a bundle names one."""


NORMALISERS = tuple(sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_")))
"""The names of all normalisers."""


@cache
def _module(name: str) -> ModuleType:
    if name not in NORMALISERS:
        raise ConfigError(f"no text normaliser {name!r}; there are {', '.join(NORMALISERS)}")
    return import_module(f"{__name__}.{name}")


def find_normaliser(name: str) -> Callable[[str], str]:
    """Return the normaliser with this name, which is a function of one text.

    Raises:
        ConfigError: no normaliser has this name.
    """
    normaliser: Callable[[str], str] = _module(name).normalise
    return normaliser


def normalise(text: str, name: str) -> str:
    """Return ``text`` as the normaliser ``name`` writes it, with one space between words.

    >>> normalise("Straße, l’église!", "letters")
    "straße l'église"

    Raises:
        ConfigError: no normaliser has this name.
    """
    return find_normaliser(name)(text)


def normalise_lines(text: str, name: str) -> str:
    r"""Return ``text`` with each line normalised by itself; there may be several spaces between words.

    >>> normalise_lines("One.\nTwo!", "letters")
    'one\ntwo'

    Raises:
        ConfigError: no normaliser has this name.
    """
    lines: Callable[[str], str] | None = getattr(_module(name), "normalise_lines", None)
    return lines(text) if lines else "\n".join(map(find_normaliser(name), text.split("\n")))
