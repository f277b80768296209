"""How many requests, streams and bytes are on their way at once."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from asr.server.errors import Refusal

_RECENT = 0.1
"""The weight of the latest of the times between two requests that end, in their running mean."""


class Places:
    """A number of places, each taken for as long as a request or stream lasts; for the event loop's thread alone."""

    def __init__(self, count: int, refusal: Callable[[int], Refusal]) -> None:
        """Begin with ``count`` free places; ``refusal`` of the seconds to wait is raised where none is left."""
        self._count, self._refusal = count, refusal
        self.taken = 0
        self._ended, self._between_s = time.monotonic(), 0.1

    @contextmanager
    def one(self) -> Iterator[None]:
        """Take a place for the block.

        Raises:
            Refusal: none is free.
        """
        if self.taken >= self._count:
            raise self._refusal(self._wait_s())
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
            self._note_end()

    def _note_end(self) -> None:
        now = time.monotonic()
        if self.taken:  # else the time since the last end says nothing about how long one takes
            self._between_s += _RECENT * (now - self._ended - self._between_s)
        self._ended = now

    def _wait_s(self) -> int:
        """Return seconds until about half of the places are free again, from 1 to 30."""
        return min(max(math.ceil(self._count * self._between_s / 2), 1), 30)


class Spool:
    """The bytes of all bodies that are on their way; for the event loop's thread alone."""

    def __init__(self, most: int) -> None:
        """Begin with room for ``most`` bytes."""
        self._most = most
        self.held = 0

    def take(self, size: int) -> None:
        """Take room for ``size`` bytes more.

        Raises:
            Refusal: there is not so much.
        """
        if self.held + size > self._most:
            raise queue_full(5)
        self.held += size

    def give_back(self, size: int) -> None:
        """Give back room that was taken."""
        self.held -= size


def queue_full(retry_after_s: int) -> Refusal:
    """Return the refusal of a transcription for which there is no place."""
    message = "as many transcriptions as this server takes are on their way; try again"
    return Refusal(429, "queue-full", message, retry_after_s=retry_after_s)


def too_many_streams(retry_after_s: int) -> Refusal:
    """Return the refusal of a live stream for which there is no place."""
    message = "as many live streams as this server takes are open; try again"
    return Refusal(503, "busy", message, retry_after_s=retry_after_s)
