"""The threads that compute for all requests.

Requests hand in short pieces of work, each its next one only after its last, so that a queue in order of arrival is
fair: a recording of two hours is many pieces, and a short one that comes meanwhile waits for one of them at most.
Live streams go first, since a person waits for them.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from asr.server.errors import Refusal

R = TypeVar("R")

Piece = tuple[Callable[[], Any], "Future[Any]"]


def stopping() -> Refusal:
    """Return what is said to requests that the server has no time for any more."""
    return Refusal(503, "stopping", "the server is stopping; try again", retry_after_s=2)


class WorkerPool:
    """Threads that take pieces of work from two queues, the urgent one first."""

    def __init__(self, threads: int) -> None:
        """Start ``threads`` workers."""
        self.threads = threads
        self._urgent: deque[Piece] = deque()
        self._waiting: deque[Piece] = deque()
        self._changed = threading.Condition()
        self._is_open = True
        for number in range(threads):
            threading.Thread(target=self._work, name=f"asr-worker-{number}", daemon=True).start()

    def __len__(self) -> int:
        """Return how many pieces wait."""
        return len(self._urgent) + len(self._waiting)

    @property
    def busy(self) -> float:
        """Urgent pieces that wait, for each worker: how far live streams are behind."""
        return len(self._urgent) / self.threads

    async def run(self, function: Callable[[], R], *, urgent: bool = False) -> R:
        """Return what ``function`` returns in a worker.

        A caller that is cancelled leaves nothing waiting, and goes on once what has begun is over: it may then close
        what ``function`` read.

        Raises:
            Refusal: the pool is closed.
        """
        future = self.submit(function, urgent=urgent)
        result = asyncio.wrap_future(future)
        try:
            await asyncio.wait((result,))
        except asyncio.CancelledError:
            if not future.cancel():
                await asyncio.wait((result,))
                result.cancelled() or result.exception()
            raise
        return result.result()

    def submit(self, function: Callable[[], R], *, urgent: bool = False) -> Future[R]:
        """Put a piece of work in its queue, and return its future result."""
        future: Future[R] = Future()
        with self._changed:
            if not self._is_open:
                raise stopping()
            (self._urgent if urgent else self._waiting).append((function, future))
            self._changed.notify()
        return future

    def close(self) -> None:
        """Refuse what waits, and end the workers after what they do now."""
        with self._changed:
            self._is_open = False
            left = [*self._urgent, *self._waiting]
            self._urgent.clear()
            self._waiting.clear()
            self._changed.notify_all()
        for _, future in left:
            if future.set_running_or_notify_cancel():
                future.set_exception(stopping())

    def _work(self) -> None:
        while (piece := self._next()) is not None:
            function, future = piece
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = function()
            except BaseException as fault:
                future.set_exception(fault)
            else:
                future.set_result(result)
            del piece, function, future  # so that a waiting worker keeps no recording

    def _next(self) -> Piece | None:
        with self._changed:
            while self._is_open and not (self._urgent or self._waiting):
                self._changed.wait()
            if not self._is_open:
                return None
            return (self._urgent or self._waiting).popleft()
