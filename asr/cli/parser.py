"""A parser whose errors are one line, with the nearest valid flag."""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

_UNKNOWN = "unrecognized arguments: "

FORMER_FLAGS = {"--lexicon": "--words"}
"""New names of removed flags that do not resemble the old ones."""


_BOOLEANS = {"true": True, "false": False}


def add_switch(group: argparse._ActionsContainer, flag: str, help: str) -> None:
    """Declare a flag that is on alone or before ``True``, as whisper writes it, and off before ``False``."""
    group.add_argument(flag, nargs="?", type=_boolean, const=True, default=False, metavar="True|False", help=help)


def _boolean(text: str) -> bool:
    if text.casefold() not in _BOOLEANS:
        raise argparse.ArgumentTypeError(f"True or False is needed, got {text!r}")
    return _BOOLEANS[text.casefold()]


class OneLineParser(argparse.ArgumentParser):
    """An argparse parser that prints an error in one line, without the usage."""

    def parse_intermixed_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> argparse.Namespace:
        """Parse ``args``; a switch takes the argument after it only if that is ``True`` or ``False``."""
        return super().parse_intermixed_args(self._joined(sys.argv[1:] if args is None else args), namespace)

    def _joined(self, args: Sequence[str]) -> list[str]:
        """Join each switch with its value, ``True`` where it has none."""
        joined: list[str] = []
        rest = list(args)
        while rest:
            argument = rest.pop(0)
            if argument == "--":
                return [*joined, argument, *rest]
            action = self._option_string_actions.get(argument)
            if action is not None and action.type is _boolean:
                argument += "=" + (rest.pop(0) if rest and rest[0].casefold() in _BOOLEANS else "True")
            joined.append(argument)
        return joined

    def error(self, message: str) -> NoReturn:
        """Print the error in one line and exit with code 2."""
        if message.startswith(_UNKNOWN):
            message = self._unknown(message.removeprefix(_UNKNOWN).split())
        message = _with_nearest_choice(message)
        self.exit(2, f"{self.prog}: {message}; {self.prog} --help says more\n")

    def _unknown(self, arguments: list[str]) -> str:
        flags = [argument.partition("=")[0] for argument in arguments if argument.startswith("-")]
        if not flags:
            return f"one argument too many: {arguments[0]!r}"
        known = [flag for flag in self._option_string_actions if flag.startswith("--")]
        near = [new for old, new in FORMER_FLAGS.items() if flags[0] == old and new in known]
        near = near or difflib.get_close_matches(flags[0], known, n=1, cutoff=0.5)
        return f"there is no {flags[0]}" + (f", did you mean {near[0]}?" if near else "")


def _with_nearest_choice(message: str) -> str:
    """Add the nearest of the choices in argparse's message to it."""
    found = re.search(r"invalid choice: '(.*?)' \(choose from (.*)\)", message)
    near = difflib.get_close_matches(found[1], re.findall(r"[\w-]+", found[2]), n=1, cutoff=0.5) if found else []
    return f"{message}; did you mean {near[0]}?" if near else message
