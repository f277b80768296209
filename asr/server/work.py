"""A recording on its way through the workers: segments as they are decided."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

from asr.inference.transcript import Segment
from asr.server.batched_decoding import BatchedDecoding
from asr.server.reading import Reading
from asr.server.worker_pool import WorkerPool

_AHEAD = 8
"""Regions of one recording that may be decoded while it is read on: memory does not grow with its length."""


async def segments(reading: Reading, pool: WorkerPool, decoding: BatchedDecoding) -> AsyncGenerator[Segment]:
    """Yield the segments of a recording as they are decided, read and decoded side by side.

    Raises:
        AudioError, Refusal: why it could not be read to its end, after the segments before.
    """
    decoded: deque[asyncio.Task[Segment | None]] = deque()
    try:
        while not reading.is_done:
            for region in await pool.run(reading.step):
                decoded.append(asyncio.create_task(decoding.decode(region)))
            while decoded and (len(decoded) > _AHEAD or decoded[0].done()):
                if (segment := await decoded.popleft()) is not None:
                    yield segment
        while decoded:
            if (segment := await decoded.popleft()) is not None:
                yield segment
    finally:
        for task in decoded:
            task.cancel()
    if reading.error is not None:
        raise reading.error
