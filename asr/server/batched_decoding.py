"""Decode regions of speech of several requests together, each to the segment that it has alone."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future

from asr.inference.pipeline import Pipeline
from asr.inference.stitcher import SpeechRegion
from asr.inference.transcript import Segment
from asr.server.errors import Refusal
from asr.server.worker_pool import WorkerPool

_TOGETHER, _TOGETHER_S = 16, 80.0
"""Regions decoded together, and fewer once they last so many seconds: a live stream waits for them."""

_Waiting = tuple[SpeechRegion, "Future[Segment | None]"]


class BatchedDecoding:
    """Collects the regions that come while the workers are busy; a worker that is free decodes what is there."""

    def __init__(self, pipeline: Pipeline, pool: WorkerPool) -> None:
        """Decode by ``pipeline`` in the workers of ``pool``."""
        self._pipeline, self._pool = pipeline, pool
        self._waiting: deque[_Waiting] = deque()
        self._changing = threading.Lock()

    async def decode(self, region: SpeechRegion) -> Segment | None:
        """Return what is said in a region; None where that is nothing."""
        future: Future[Segment | None] = Future()
        with self._changing:
            self._waiting.append((region, future))
            count = len(self._waiting)
        # The first asks for a worker. A full batch asks for another, ahead of recordings that have not been begun.
        if count == 1 or count % _TOGETHER == 0:
            self._ask(urgent=count > 1)
        return await asyncio.wrap_future(future)

    def _ask(self, *, urgent: bool = False) -> None:
        """Ask for a worker; where there is none any more, tell those who wait."""
        try:
            self._pool.submit(self._decode_some, urgent=urgent).add_done_callback(self._fail_where_refused)
        except Refusal as refusal:
            self._fail(refusal)

    def _fail_where_refused(self, asked: Future[None]) -> None:
        if (fault := asked.exception()) is not None:
            self._fail(fault)

    def _fail(self, fault: BaseException) -> None:
        with self._changing:
            waiting = list(self._waiting)
            self._waiting.clear()
        for _, future in waiting:
            if future.set_running_or_notify_cancel():
                future.set_exception(fault)

    def _decode_some(self) -> None:
        batch, left = self._take()
        if left:
            self._ask()
        if not batch:
            return
        for (_, future), found in zip(batch, self._decode([region for region, _ in batch]), strict=True):
            if isinstance(found, Exception):
                future.set_exception(found)
            else:
                future.set_result(found)

    def _take(self) -> tuple[list[_Waiting], int]:
        """Return a batch of what waits, those who gave up left out, and how many are left."""
        batch: list[_Waiting] = []
        seconds = 0.0
        with self._changing:
            while self._waiting and len(batch) < _TOGETHER and seconds < _TOGETHER_S:
                region, future = self._waiting.popleft()
                if future.set_running_or_notify_cancel():
                    batch.append((region, future))
                    seconds += region.duration
            return batch, len(self._waiting)

    def _decode(self, regions: Sequence[SpeechRegion]) -> Sequence[Segment | None | Exception]:
        try:
            return self._pipeline.decode(regions)
        except Exception as fault:
            if len(regions) == 1:
                return [fault]
        return [found for region in regions for found in self._decode([region])]  # one must not fail the others
