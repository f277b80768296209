"""HTTP/1.1 by uvicorn, within limits that it does not have: time for headers, and connections."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from asr.server.errors import Refusal, error_response
from asr.server.options import Limits
from asr.server.refusing import Body, answer_unread

_LINGER_S = 5.0
"""Seconds for the body of a request that is refused because too many connections are open."""


def protocol_within(limits: Limits) -> type[H11Protocol]:
    """Return the protocol of connections, within ``limits``."""
    return type("BoundedProtocol", (_Bounded,), {"limits": limits})


class _Bounded(H11Protocol):
    """A connection that is closed where no request is whole in time; uvicorn's own timer begins with the first answer.

    The rest of a body that nobody reads any more, because its request is answered, must come within the same time.
    """

    limits: Limits
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > 2 * self.limits.connections:
            transport.abort()
        elif len(self.connections) > self.limits.connections:
            self.app = _busy
        self._begin_waiting()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._end_waiting()
        elif self in self.connections:
            self._begin_waiting()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._end_waiting()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_waiting()
        super().connection_lost(exc)

    def _begin_waiting(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.limits.header_s, self._give_up)

    def _end_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if self.transport.get_write_buffer_size():  # close() would wait for a client that does not read
            self.transport.abort()
        else:
            self.transport.close()


async def _busy(scope: Scope, receive: Receive, send: Send) -> Any:
    refusal = Refusal(503, "busy", "too many connections are open; try again", retry_after_s=5)
    await answer_unread(error_response(refusal), scope, Body(receive), send, _LINGER_S)
