"""Answers to requests whose body nobody read: a connection that is closed before that would lose its answer."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send


class Body:
    """Receives a request's body, and remembers whether it is there to its end."""

    def __init__(self, receive: Receive) -> None:
        """Receive by ``receive``."""
        self._receive = receive
        self.is_whole = False

    async def receive(self) -> Message:
        """Return the next message."""
        message = await self._receive()
        self.is_whole |= not message.get("more_body", False)
        return message

    async def discard(self, seconds: float) -> None:
        """Read the rest of the body, within so many seconds, and keep nothing of it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self.is_whole:
                    await self.receive()


async def answer_unread(response: Response, scope: Scope, body: Body, send: Send, seconds: float) -> None:
    """Send all of an answer, then discard what still comes of the request, within so many seconds.

    The answer ends only then. Where it closes the connection, bytes that nobody read would have the system reset it,
    and the client lose what it had not read itself (RFC 9112, section 9.6).
    """
    if scope["type"] != "http" or body.is_whole:
        return await response(scope, body.receive, send)
    start = {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}
    await send(start)
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    await body.discard(seconds)
    await send({"type": "http.response.body", "body": b""})
