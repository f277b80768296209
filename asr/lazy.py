"""Names of a package that are imported on first use (PEP 562), so that importing the package costs nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy_names(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the functions ``__getattr__`` and ``__dir__`` of a package.

    Args:
        package: the name of the package.
        homes: the module that each name comes from.

    >>> find, names = lazy_names("asr", {"dedent": "textwrap"})
    >>> find("dedent")("  a"), "dedent" in names(), "__version__" in names()
    ('a', True, True)
    """

    def find(name: str) -> Any:
        """Import a name on first use."""
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        import importlib

        return getattr(importlib.import_module(homes[name]), name)

    def names() -> list[str]:
        """Return the public names, those not yet imported too: for ``dir``, ``help`` and completion."""
        return [*homes, *(name for name in vars(sys.modules[package]) if name.startswith("__"))]

    return find, names
