"""The outermost step of every request: its id, its line in the log, its metrics, and its errors as answers."""

from __future__ import annotations

import asyncio
import errno
import logging
import re
import time
import uuid
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from asr.errors import AsrError
from asr.server.errors import INTERNAL, Refusal, error_response, status_of
from asr.server.logs import log, notes_of
from asr.server.refusing import Body, answer_unread
from asr.server.service import Service

GONE = 499
"""The status in the log of a request whose client went away; no client sees it."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE)
"""Errors of the system that pass: a full disk, too many open files."""

_SWITCHED = 101
"""The status of a WebSocket that was accepted."""

_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
"""What every answer says to browsers, unless it says otherwise itself."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_QUIET = frozenset({"/health", "/ready", "/metrics"})
"""Routes that are asked every few seconds; only what goes wrong there is in the log."""


class _Answer:
    """Sends what a request is answered, and remembers its status."""

    def __init__(self, send: Send, headers: Mapping[str, str], send_s: float) -> None:
        self._send, self._headers, self._send_s = send, headers, send_s
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"].endswith("http.response.start"):
            self.status = message["status"]
            self._complete(MutableHeaders(scope=message))
        elif message["type"] == "websocket.accept":
            self.status = _SWITCHED
            message.setdefault("headers", [])
            self._complete(MutableHeaders(scope=message))
        try:
            async with asyncio.timeout(self._send_s):
                await self._send(message)
        except TimeoutError as unread:
            raise ClientDisconnect from unread

    def _complete(self, headers: MutableHeaders) -> None:
        for name, value in self._headers.items():
            headers.setdefault(name, value)


def observed(app: ASGIApp, service: Service) -> ASGIApp:
    """Return ``app`` with request ids, a log, metrics, and errors in the shape that clients of OpenAI's API read."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        began = time.monotonic()
        request_id = _request_id(Headers(scope=scope))
        notes_of(scope).update(request_id=request_id)
        limits = service.options.limits
        body, answer = Body(receive), _Answer(send, {"x-request-id": request_id, **_HEADERS}, limits.send_s)
        scope["app"] = app  # so that Starlette raises errors in place of answering in plain text
        try:
            await _answered(app, scope, body, answer, limits.header_s)
        finally:
            _record(scope, answer.status or GONE, time.monotonic() - began, service)

    return call


async def _answered(app: ASGIApp, scope: Scope, body: Body, answer: _Answer, linger_s: float) -> None:
    try:
        await app(scope, body.receive, answer.send)
    except (ClientDisconnect, WebSocketDisconnect):
        return  # nobody reads an answer
    except Exception as fault:
        error = _as_error(fault)
        notes_of(scope)["code"] = error.code
        if status_of(error) == 500:
            log("fault", logging.ERROR, fault=fault, request_id=notes_of(scope)["request_id"])
            error = INTERNAL
        if answer.status is None:
            await answer_unread(error_response(error), scope, body, answer.send, linger_s)
        elif answer.status == _SWITCHED:
            await answer.send({"type": "websocket.close", "code": 1011})
        else:
            raise  # an answer that was begun cannot be whole: have the connection closed


def _as_error(fault: Exception) -> AsrError:
    if isinstance(fault, AsrError):
        return fault
    if isinstance(fault, HTTPException):
        codes = {404: "not-found", 405: "method"}
        return Refusal(fault.status_code, codes.get(fault.status_code, "request"), fault.detail)
    if isinstance(fault, OSError) and fault.errno in _NO_ROOM:
        return Refusal(503, "busy", "this machine has no room for more; try again", retry_after_s=10)
    return INTERNAL


def _request_id(headers: Headers) -> str:
    """Return the client's own id where it has the shape of one, else a new one."""
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _record(scope: Scope, status: int, seconds: float, service: Service) -> None:
    route = getattr(scope.get("route"), "path", "none")
    service.metrics.requests.labels(route, str(status)).inc()
    service.metrics.request_s.labels(route).observe(seconds)
    if scope["path"] in _QUIET and status < 400:
        return
    fields: dict[str, Any] = {
        "method": scope.get("method", "WebSocket"),
        "path": scope["path"][:200],
        "status": status,
        "ms": round(1000 * seconds),
    }
    log("request", **notes_of(scope), **fields)
