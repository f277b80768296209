"""Compute ahead of whoever consumes the results, within bounds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def prefetch(function: Callable[[T], R], items: Iterable[T], *, ahead: int, workers: int) -> Iterator[R]:
    """Yield ``function`` of each item, in order, computed in threads while earlier results are consumed.

    An error that ends ``items`` is raised after the results of the items that came before it.

    >>> list(prefetch(abs, [-3, 1, -2], ahead=1, workers=1))
    [3, 1, 2]

    Args:
        function: what is computed; it runs in several threads at once.
        items: read in the consumer's thread, at most ``ahead`` before their results are asked for.
        ahead: results that may wait.
        workers: threads.
    """
    from concurrent.futures import Future, ThreadPoolExecutor

    pool = ThreadPoolExecutor(workers)
    waiting: deque[Future[R]] = deque()
    rest: Iterator[T] | None = iter(items)
    fault: Exception | None = None
    try:
        while True:
            while rest is not None and len(waiting) < ahead:
                try:
                    waiting.append(pool.submit(function, next(rest)))
                except StopIteration:
                    rest = None
                except Exception as error:
                    rest, fault = None, error
            if not waiting:
                break
            yield waiting.popleft().result()
        if fault is not None:
            raise fault
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
