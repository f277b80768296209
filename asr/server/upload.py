"""A form with a recording, received within limits of bytes and of time."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, BinaryIO

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.types import Message, Receive

from asr.server.admission import Spool
from asr.server.errors import Refusal
from asr.server.options import Limits

_FORM = "multipart/form-data"


@asynccontextmanager
async def received_form(request: Request, limits: Limits, spool: Spool) -> AsyncIterator[FormData]:
    """Yield the form of a request; its recording is there, in memory or on disk, until the block ends.

    Raises:
        Refusal: the body is no form, has too many bytes, or comes too slowly.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM:
        raise Refusal(415, "content-type", f"the body must be {_FORM}, got {kind[:100] or 'no content type'}")
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated) > limits.upload_bytes:
        raise _too_large(limits)
    body = _Body(request.receive, limits, spool)
    try:
        bounded = Request(request.scope, body.receive)
        async with bounded.form(max_files=1, max_fields=limits.fields, max_part_size=limits.field_bytes) as form:
            yield form
    finally:
        spool.give_back(body.size)


class _Body:
    """Receives a body; a client must send it at a least rate, so that many slow ones cannot take all places."""

    def __init__(self, receive: Receive, limits: Limits, spool: Spool) -> None:
        self._receive, self._limits, self._spool = receive, limits, spool
        self._began = time.monotonic()
        self.size = 0

    async def receive(self) -> Message:
        allowed = self._limits.upload_s + self.size / self._limits.upload_rate
        left = self._began + allowed - time.monotonic()
        try:
            async with asyncio.timeout(max(left, 0.0)):
                message = await self._receive()
        except TimeoutError as late:
            raise Refusal(408, "too-slow", f"the body did not come within {allowed:.0f} s; send it faster") from late
        size = len(message.get("body", b""))
        if self.size + size > self._limits.upload_bytes:
            raise _too_large(self._limits)
        self._spool.take(size)
        self.size += size
        return message


def _too_large(limits: Limits) -> Refusal:
    most = limits.upload_bytes / (1 << 20)
    return Refusal(413, "too-large", f"the body is larger than {most:g} MB, which is all that this server takes")


def recording_of(upload: UploadFile) -> BinaryIO:
    """Return an uploaded recording as a file whose name is the client's; it blocks, so it is for a worker."""
    upload.file.seek(0)
    return io.BufferedReader(_Named(upload.file, name_of(upload)))


def name_of(upload: UploadFile) -> str:
    """Return the name of an upload for messages: one line, without folders, of bounded length."""
    last = (upload.filename or "").replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable())[:100] or "the recording"


class _Named(io.RawIOBase):
    """Another file with a name, which messages of errors begin with; closing it leaves the other open."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self.name = file, name

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._file.seek(offset, whence)
        return self._file.tell()

    def tell(self) -> int:
        return self._file.tell()
