"""Print a script by which a shell completes verbs, flags and files after Tab.

bash   asr completion bash > ~/.local/share/bash-completion/completions/asr
zsh    asr completion zsh > "${fpath[1]}/_asr"
fish   asr completion fish > ~/.config/fish/completions/asr.fish

The script needs no Python when a key is pressed. Write it again after an update of asr.
"""

from __future__ import annotations

import argparse
import importlib
from types import ModuleType

_SHELLS = ("bash", "zsh", "fish")
_FOLDERS = ("FOLDER", "DIR", "RUN", "BUNDLE", "OUT")
_FILES = ("FILE", "AUDIO", "TEXT", "MANIFEST", "REFERENCE", "HYPOTHESIS", "jsonl", "RECORDING")
"""Parts of the names of arguments in the help, by which folders and files are known."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``asr completion``."""
    parser.add_argument("shell", choices=_SHELLS, help="the shell to write for")


def run(arguments: argparse.Namespace) -> int:
    """Print the script; return 0."""
    import shtab

    print(shtab.complete(_whole_parser(), arguments.shell))
    return 0


def _whole_parser() -> argparse.ArgumentParser:
    """Return a parser of all verbs, which is not used to parse."""
    from asr.cli.main import VERBS

    parser = argparse.ArgumentParser(prog="asr", description="Speech recognition you train yourself.")
    parser.add_argument("--version", action="store_true", help="print the version")
    verbs = parser.add_subparsers()
    for verb, (module, line) in VERBS.items():
        _declare(verbs.add_parser(verb, help=line), importlib.import_module(module))
    _declare_help(verbs.add_parser("help", help="say more about a verb"), list(VERBS))
    return parser


def _declare(parser: argparse.ArgumentParser, module: ModuleType) -> None:
    if hasattr(module, "SUB_VERBS"):
        sub_verbs = parser.add_subparsers()
        for name, (declare, line, _) in module.SUB_VERBS.items():
            below = sub_verbs.add_parser(name, help=line)
            declare(below)
            _complete_paths(below)
    elif hasattr(module, "add_arguments"):
        module.add_arguments(parser)
        _complete_paths(parser)


def _declare_help(parser: argparse.ArgumentParser, verbs: list[str]) -> None:
    parser.add_argument("verb", choices=verbs, help="one of the verbs")


def _complete_paths(parser: argparse.ArgumentParser) -> None:
    """Have arguments that name files or folders completed by those, and formats by their names."""
    import shtab

    from asr.inference.writers.formats import FORMATS

    for action in parser._actions:
        shown = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
        if action.dest == "output_format":
            action.choices = [*FORMATS, "all"]
        elif any(part in shown for part in _FILES):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif any(part in shown for part in _FOLDERS):
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
