"""The workers take turns; what waits for a client that left is dropped; one bad region fails nobody else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from asr.inference.stitcher import SpeechRegion
from asr.server.batched_decoding import BatchedDecoding
from asr.server.errors import Refusal
from asr.server.worker_pool import WorkerPool


@pytest.fixture
def pool() -> Iterator[WorkerPool]:
    """One worker, so that the order shows."""
    pool = WorkerPool(1)
    yield pool
    pool.close()


def held(pool: WorkerPool) -> threading.Event:
    """Occupy the worker until the event is set."""
    go, busy = threading.Event(), threading.Event()
    pool.submit(lambda: (busy.set(), go.wait(10)))
    assert busy.wait(10)
    return go


def test_a_short_request_does_not_wait_for_all_of_a_long_one(pool: WorkerPool) -> None:
    order: list[str] = []

    async def request(name: str, pieces: int) -> None:
        for _ in range(pieces):
            await pool.run(lambda: order.append(name))

    async def both() -> None:
        await asyncio.gather(request("long", 50), request("short", 2))

    asyncio.run(both())
    assert order.index("short") <= 2
    assert [name for name in order if name == "short"] == ["short"] * 2
    assert "short" not in order[6:]


def test_live_streams_go_first(pool: WorkerPool) -> None:
    order: list[str] = []
    go = held(pool)
    ordinary = [pool.submit(lambda: order.append("file")) for _ in range(3)]
    urgent = pool.submit(lambda: order.append("live"), urgent=True)
    go.set()
    for future in (*ordinary, urgent):
        future.result(10)
    assert order == ["live", "file", "file", "file"]


def test_what_waits_for_a_caller_that_left_is_not_done(pool: WorkerPool) -> None:
    done: list[int] = []

    async def leave() -> None:
        go = held(pool)
        waiting = asyncio.create_task(pool.run(lambda: done.append(1)))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        go.set()
        await pool.run(lambda: done.append(2))

    asyncio.run(leave())
    assert done == [2]


def test_a_caller_that_leaves_goes_on_when_what_has_begun_is_over(pool: WorkerPool) -> None:
    """It may close the file that the worker reads."""
    over: list[str] = []

    async def leave() -> None:
        busy, go = threading.Event(), threading.Event()
        running = asyncio.create_task(pool.run(lambda: (busy.set(), go.wait(10), over.append("worker"))))
        await asyncio.to_thread(busy.wait)
        running.cancel()
        asyncio.get_running_loop().call_later(0.05, go.set)
        await asyncio.gather(running, return_exceptions=True)
        over.append("caller")

    asyncio.run(leave())
    assert over == ["worker", "caller"]


def test_a_closed_pool_refuses_what_waits_and_what_comes(pool: WorkerPool) -> None:
    go = held(pool)
    waiting = pool.submit(lambda: None)
    pool.close()
    go.set()
    with pytest.raises(Refusal, match="stopping"):
        waiting.result(10)
    with pytest.raises(Refusal, match="stopping"):
        pool.submit(lambda: None)


def test_regions_that_wait_when_the_pool_closes_are_refused(pool: WorkerPool) -> None:
    async def close_early() -> list[Any]:
        go = held(pool)
        batched = BatchedDecoding(Decoder(), pool)  # type: ignore[arg-type]
        tasks = [asyncio.create_task(batched.decode(region(number))) for number in range(20)]
        await asyncio.sleep(0.01)
        pool.close()
        go.set()
        late = asyncio.create_task(batched.decode(region(20)))
        return await asyncio.wait_for(asyncio.gather(*tasks, late, return_exceptions=True), 10)

    assert [type(one) for one in asyncio.run(close_early())] == [Refusal] * 21


# Decoding together


def region(number: int, seconds: float = 1.0) -> SpeechRegion:
    return SpeechRegion(float(number), (number, number + seconds), np.zeros((1, 1), np.float32))


class Decoder:
    """Says the second at which a region begins; some it cannot decode."""

    def __init__(self, bad: Sequence[int] = ()) -> None:
        self.bad, self.sizes = bad, list[int]()

    def decode(self, regions: Sequence[SpeechRegion]) -> list[Any]:
        self.sizes.append(len(regions))
        if any(int(one.start_s) in self.bad for one in regions):
            raise ZeroDivisionError
        return [SimpleNamespace(text=f"{one.start_s:.0f}") for one in regions]


def decode_all(pool: WorkerPool, decoder: Decoder, regions: Sequence[SpeechRegion]) -> list[Any]:
    async def together() -> list[Any]:
        go = held(pool)
        batched = BatchedDecoding(decoder, pool)  # type: ignore[arg-type]
        tasks = [asyncio.create_task(batched.decode(one)) for one in regions]
        await asyncio.sleep(0.01)
        go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    return asyncio.run(together())


def test_regions_that_wait_are_decoded_together_and_each_has_its_own(pool: WorkerPool) -> None:
    decoder = Decoder()
    found = decode_all(pool, decoder, [region(number) for number in range(40)])
    assert [one.text for one in found] == [str(number) for number in range(40)]
    assert decoder.sizes == [16, 16, 8]


def test_fewer_are_decoded_together_where_they_are_long(pool: WorkerPool) -> None:
    decoder = Decoder()
    decode_all(pool, decoder, [region(number, 30.0) for number in range(7)])
    assert decoder.sizes == [3, 3, 1]


def test_one_that_cannot_be_decoded_fails_alone(pool: WorkerPool) -> None:
    found = decode_all(pool, Decoder(bad=(2,)), [region(number) for number in range(5)])
    assert [isinstance(one, ZeroDivisionError) for one in found] == [False, False, True, False, False]
