"""The command ``asr VERB …``: it imports only what the verb needs, and reports errors in one line."""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
import warnings
from collections.abc import Sequence

from asr import __version__
from asr.cli.parser import OneLineParser
from asr.cli.streams import lost_output, settle_streams
from asr.errors import AsrError, AudioWarning

VERBS = {
    "prepare": ("asr.cli.prepare", "convert a published corpus into manifests"),
    "train": ("asr.cli.train", "train a model; settings as key=value (Hydra)"),
    "export": ("asr.cli.export", "export a training run as a bundle that runs without TensorFlow"),
    "transcribe": ("asr.cli.transcribe", "transcribe recordings"),
    "serve": ("asr.cli.serve", "serve models over HTTP, live too, and a page for people"),
    "align": ("asr.cli.align", "find when each word of a known text is spoken"),
    "evaluate": ("asr.cli.evaluate", "compute word and character error rates"),
    "compare": ("asr.cli.compare", "test which of two systems makes fewer word errors"),
    "leaks": ("asr.cli.leaks", "search for speakers, recordings and sentences shared by training and test"),
    "lm": ("asr.cli.lm", "train, measure, tune and convert n-gram language models"),
    "lexicon": ("asr.cli.lexicon", "make a pronouncing dictionary for training and decoding"),
    "augment": ("asr.cli.augment", "listen to and look at augmented copies of a recording"),
    "gradient-flow": ("asr.cli.gradient_flow", "measure how far back in time a gradient reaches"),
    "recipe": ("asr.cli.recipe", "run a recipe from download to result"),
    "models": ("asr.cli.models", "list the models of this package, and show their cards"),
    "completion": ("asr.cli.completion", "print a script for completion in bash, zsh or fish"),
}
"""Verb → module, and a line of help. A module has ``add_arguments(parser)`` and ``run(arguments) -> int``, or, to
read its own command line, ``run_raw(argv) -> int``."""

INTERRUPTED = 128 + signal.SIGINT


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line.

    Returns:
        0 on success, 1 after an error (its code and message are on stderr), 2 if the command line is wrong, 130 after
        Ctrl-C.
    """
    if argv is None:
        settle_streams()
    warnings.showwarning = _show_warning
    warnings.simplefilter("always", AudioWarning)
    try:
        return _unless_lost(_dispatch(list(sys.argv[1:] if argv is None else argv)))
    except AsrError as error:
        report(error)
        return 1
    except KeyboardInterrupt:
        print("asr: interrupted", file=sys.stderr)
        return INTERRUPTED
    except OSError as fault:
        if isinstance(fault, BrokenPipeError) and fault.filename is None:  # our reader has all that it wants
            return 0
        report(fault)
        return 1


def _unless_lost(code: int) -> int:
    """Return a verb's exit code, or 1 where its output has not arrived; a reader that has gone, as head does, is 0."""
    fault = lost_output()
    if fault is None or isinstance(fault, BrokenPipeError):
        return code
    report(fault)
    return code or 1


def report(error: AsrError | OSError) -> None:
    """Print an error as one line on stderr: ``asr: error[code]: message``.

    One of the system, such as a full disk or a folder without write permission, is its message and the file's name.
    """
    if isinstance(error, AsrError):
        print(f"asr: error[{error.code}]: {error}", file=sys.stderr)
    else:
        print(f"asr: error[system]: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: object = None,
) -> None:
    """Print a warning about a recording as one line on stderr, and any other as Python does."""
    if issubclass(category, AudioWarning):
        print(f"asr: warning: {message}", file=sys.stderr)
    else:
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno))


def _dispatch(argv: list[str]) -> int:
    if argv[:1] == ["help"]:
        argv = [*argv[1:], "--help"]
    if not argv or argv[0] in ("-h", "--help"):
        print(_overview())
        return 0 if argv else 2
    if argv[0] == "--version":
        print(f"asr {__version__}")
        return 0
    if argv[0] not in VERBS:
        print(f"asr: {_unknown(argv[0])}", file=sys.stderr)
        return 2
    return _run_verb(argv[0], argv[1:])


def _run_verb(verb: str, argv: list[str]) -> int:
    module = importlib.import_module(VERBS[verb][0])
    if hasattr(module, "run_raw"):
        status: int = module.run_raw(argv)
        return status
    parser = OneLineParser(
        prog=f"asr {verb}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    module.add_arguments(parser)
    try:
        arguments = parser.parse_intermixed_args(argv)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    status = module.run(arguments)
    return status


def _overview() -> str:
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {verb:{width}}  {line}" for verb, (_, line) in VERBS.items())
    return (
        "usage: asr VERB … | asr --version\n\n"
        "Speech recognition you train yourself.\n\n"
        f"{verbs}\n\n"
        "asr VERB --help or asr help VERB says more."
    )


def _unknown(verb: str) -> str:
    import difflib

    near = difflib.get_close_matches(verb, VERBS, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(VERBS)}"
    return f"no verb {verb!r}; {hint}"
