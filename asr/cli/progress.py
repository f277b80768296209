"""How far a verb is, on stderr; and where its tables go."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")
_WIDTH = 110
"""Columns of a table that goes into a file or another program."""


@contextmanager
def bar(total: int, what: str) -> Iterator[Callable[[], None]]:
    """Yield what moves the bar on by one; lines printed to stderr meanwhile stand above it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False) as progress:
        task = progress.add_task(what, total=total)
        yield lambda: progress.advance(task)


def watched(found: Iterable[T], total: int, doing: str) -> Iterable[T]:
    """``found``, with a bar on stderr where that is a terminal."""
    from rich.console import Console
    from rich.progress import track

    return track(found, doing, total, console=Console(stderr=True), disable=not sys.stderr.isatty())


def table_console() -> Console:
    """Standard output, as wide as the terminal."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _WIDTH)
