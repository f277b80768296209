"""A live stream: messages of a WebSocket read ahead within bounds, and samples transcribed by the workers."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import replace

import numpy as np
from starlette.websockets import WebSocket, WebSocketDisconnect

from asr.inference import Segment, StreamingTranscriber, Transcriber, Update
from asr.server.errors import Refusal
from asr.server.options import Limits
from asr.server.service import Service

SAMPLE_BYTES = 2

INTERVAL_S = 0.5
"""Seconds from one partial to the next; more where streams wait for workers, since finals come first."""

ENDPOINT_SILENCE_S = 0.5
"""The pause that makes text final unless a client sets another."""

_MESSAGE_BYTES = 100
"""What a message that waits takes beside its own bytes."""

_STEP_S = 4.0
"""Seconds of samples that are computed at a time: what other streams wait for."""


class End:
    """The end of what will come: the client went away, or the server is stopping.

    Attributes:
        is_heard: whether anybody hears an answer.
    """

    def __init__(self, *, is_heard: bool) -> None:
        """Say whether the client is still there."""
        self.is_heard = is_heard


class Inbox:
    """Messages that came and were not taken yet; a client that sends faster than is computed is read more slowly."""

    def __init__(self, websocket: WebSocket, limits: Limits) -> None:
        """Read messages of ``websocket`` once `read` runs."""
        self._websocket, self._idle_s = websocket, limits.idle_s
        self._most = limits.message_bytes
        self._messages: deque[bytes | str | End | Refusal] = deque()
        self._held = 0
        self._changed = asyncio.Event()

    async def read(self, stopping: asyncio.Event) -> None:
        """Read until the client goes away, says nothing for too long, or the server is stopping."""
        stop = asyncio.create_task(stopping.wait())
        try:
            while True:
                receive = asyncio.create_task(self._websocket.receive())
                await asyncio.wait((receive, stop), timeout=self._idle_s, return_when=asyncio.FIRST_COMPLETED)
                if not receive.done():
                    receive.cancel()
                    late = Refusal(408, "too-slow", f"nothing came for {self._idle_s:g} s")
                    return self._put(End(is_heard=True) if stop.done() else late)
                message = receive.result()
                if message["type"] == "websocket.disconnect":
                    self._messages.clear()  # nobody hears the answers
                    return self._put(End(is_heard=False))
                text, data = message.get("text"), message.get("bytes") or b""
                self._put(data if text is None else text)
                while self._held > self._most:
                    self._changed.clear()
                    await self._changed.wait()
        finally:
            stop.cancel()
            self._put(End(is_heard=False))  # nothing more comes, whatever the reason

    async def take(self) -> list[bytes] | str | End:
        """Return the next message, or all binary messages up to the next other one.

        Raises:
            Refusal: nothing came for too long.
        """
        while not self._messages:
            self._changed.clear()
            await self._changed.wait()
        first = self._messages.popleft()
        if isinstance(first, Refusal):
            raise first
        if isinstance(first, End):
            return first
        if isinstance(first, str):
            self._release(first)
            return first
        taken = [first]
        while self._messages and isinstance(following := self._messages[0], bytes):
            self._messages.popleft()
            taken.append(following)
        self._release(*taken)
        return taken

    def _release(self, *taken: bytes | str) -> None:
        self._held -= sum(_MESSAGE_BYTES + len(one) for one in taken)
        self._changed.set()

    def _put(self, message: bytes | str | End | Refusal) -> None:
        self._messages.append(message)
        self._held += _MESSAGE_BYTES + len(message) if isinstance(message, bytes | str) else 0
        self._changed.set()


class LiveStream:
    """One recording as it comes, transcribed by the workers ahead of recordings that are files."""

    def __init__(
        self,
        service: Service,
        model_id: str,
        transcriber: Transcriber,
        sample_rate: int,
        endpoint_silence_s: float = ENDPOINT_SILENCE_S,
    ) -> None:
        """Begin a recording of 16-bit samples, in which a pause of ``endpoint_silence_s`` makes text final.

        Raises:
            SampleRateError, ConfigError: as `StreamingTranscriber`.
        """
        self._service, self._model_id, self._rate = service, model_id, sample_rate
        self._stream = StreamingTranscriber(transcriber, sample_rate, endpoint_silence_s=endpoint_silence_s)
        self._rest = b""

    @property
    def heard_s(self) -> float:
        """Seconds heard so far."""
        return self._stream.heard_s

    async def accept(self, data: bytes) -> Update:
        """Take bytes of samples, which may end within one."""
        began = time.monotonic()
        data = self._rest + data
        whole = len(data) - len(data) % SAMPLE_BYTES
        samples, self._rest = np.frombuffer(data[:whole], "<i2").astype(np.int16), data[whole:]
        step = max(round(_STEP_S * self._rate), 1)
        final: tuple[Segment, ...] = ()
        for at in range(0, max(len(samples), 1), step):
            update = await self._step(samples[at : at + step])
            final += update.final
        self._service.metrics.live_step_s.observe(time.monotonic() - began)
        self._service.metrics.audio_s.labels(self._model_id, "live").inc(len(samples) / self._rate)
        return replace(update, final=final)

    async def _step(self, samples: np.ndarray) -> Update:
        self._stream.interval_s = INTERVAL_S * max(self._service.pool.busy, 1.0)
        return await self._service.pool.run(lambda: self._stream.accept(samples), urgent=True)

    async def finalise(self) -> Update:
        """Make final at once what was said; the recording goes on."""
        return await self._service.pool.run(self._stream.finalise, urgent=True)

    async def finish(self) -> Update:
        """Return the last finals; nothing may follow."""
        return await self._service.pool.run(self._stream.finish, urgent=True)


async def close(websocket: WebSocket, code: int) -> None:
    """Close a WebSocket that may be closed already."""
    try:
        await websocket.close(code)
    except (RuntimeError, WebSocketDisconnect):
        return
