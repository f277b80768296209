"""Work ahead of who consumes, within bounds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def map_ahead(function: Callable[[T], R], items: Iterable[T], ahead: int, workers: int = 2) -> Iterator[R]:
    """``map`` in threads: results in order, at most ``ahead`` of them waiting.

    >>> list(map_ahead(abs, [-3, 1, -2], ahead=1))
    [3, 1, 2]
    """
    from concurrent.futures import Future, ThreadPoolExecutor

    pool = ThreadPoolExecutor(workers)
    try:
        rest = iter(items)
        waiting: deque[Future[R]] = deque(pool.submit(function, item) for item in islice(rest, ahead))
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(pool.submit(function, item) for item in islice(rest, 1))
            yield result
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def windows(
    items: Iterable[T],
    size: Callable[[T], float],
    most: float,
    count: int,
    *,
    flush_on: tuple[type[BaseException], ...] = (),
) -> Iterator[list[T]]:
    """Consecutive items, ``count`` at a time, fewer once their sizes reach ``most``.

    An error that ends them is raised; one of ``flush_on`` only after the items that came before it.

    >>> list(windows([1, 1, 9, 1, 1, 1, 1], size=float, most=10, count=3))
    [[1, 1, 9], [1, 1, 1], [1]]
    """
    window: list[T] = []
    total = 0.0
    try:
        for item in items:
            window.append(item)
            total += size(item)
            if len(window) == count or total >= most:
                yield window
                window, total = [], 0.0
    except flush_on:
        if window:
            yield window
        raise
    if window:
        yield window
