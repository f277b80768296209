"""Progress bars on stderr, and the console for tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")
_WIDTH = 110
"""Width in characters of tables that are not printed on a terminal."""


@contextmanager
def bar(total: int, what: str) -> Iterator[Callable[[], None]]:
    """Yield a function that advances a bar by one; lines printed to stderr meanwhile appear above it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=False) as progress:
        task = progress.add_task(what, total=total)
        yield lambda: progress.advance(task)


def watched(found: Iterable[T], total: int, doing: str) -> Iterable[T]:
    """Iterate over ``found`` with a progress bar on stderr if it is a terminal."""
    from rich.console import Console
    from rich.progress import track

    return track(found, doing, total, console=Console(stderr=True), disable=not sys.stderr.isatty())


def table_console() -> Console:
    """Return a console on standard output, as wide as the terminal, or `_WIDTH` without one."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _WIDTH)
