"""Consecutive items in groups of limited count and size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def grouped(
    items: Iterable[T],
    size: Callable[[T], float],
    *,
    max_size: float,
    max_count: int,
    flush_on: tuple[type[BaseException], ...] = (),
) -> Iterator[list[T]]:
    """Yield consecutive items, ``max_count`` at a time, fewer once their sizes add up to ``max_size``.

    An error that ends them is raised at once; one of ``flush_on`` after the items that came before it.

    >>> list(grouped([1, 1, 9, 1, 1, 1, 1], size=float, max_size=10, max_count=3))
    [[1, 1, 9], [1, 1, 1], [1]]
    """
    group: list[T] = []
    total = 0.0
    try:
        for item in items:
            group.append(item)
            total += size(item)
            if len(group) == max_count or total >= max_size:
                yield group
                group, total = [], 0.0
    except flush_on:
        if group:
            yield group
        raise
    if group:
        yield group
