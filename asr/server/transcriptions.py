"""``POST /v1/audio/transcriptions``, as OpenAI has it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from asr.errors import AsrError
from asr.inference import Decoding, Segment, Transcript
from asr.server import formats
from asr.server.batched_decoding import BatchedDecoding
from asr.server.logs import notes_of
from asr.server.parameters import Wanted, check_language, parse
from asr.server.reading import Reading
from asr.server.served_models import ServedModel, decoding_as, find_model
from asr.server.service import Service
from asr.server.upload import name_of, received_form, recording_of
from asr.server.work import segments


@dataclass(frozen=True)
class Transcriptions:
    """The route, an ASGI application: it holds its place until the last byte of the answer is sent."""

    service: Service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Receive a form, transcribe its recording, and answer; work for a client that goes away is dropped."""
        limits = self.service.options.limits
        request = Request(scope, receive)
        with self.service.requests.one():
            async with received_form(request, limits, self.service.spool) as form:
                wanted, upload = parse(form, limits)
                model = find_model(self.service.models, wanted.model)
                check_language(wanted, model)
                notes_of(scope).update(model=model.id, format=wanted.response_format, bytes=upload.size)
                await _unless_gone(self._answer(wanted, model, upload, scope, send), receive)

    async def _answer(self, wanted: Wanted, model: ServedModel, upload: UploadFile, scope: Scope, send: Send) -> None:
        began = time.monotonic()
        reading, found = await self._begin(wanted, model, upload)
        async with aclosing(found):
            if wanted.stream:
                transcript = await _stream(found, reading, wanted, send)
            else:
                transcript = Transcript.of([segment async for segment in found], reading.duration)
                body, media_type = formats.render(transcript, wanted, model.language_name)
                await Response(body, media_type=media_type)(scope, _nothing, send)
        self._note(transcript, model, time.monotonic() - began, scope)

    async def _begin(
        self, wanted: Wanted, model: ServedModel, upload: UploadFile
    ) -> tuple[Reading, AsyncGenerator[Segment]]:
        pool, limits = self.service.pool, self.service.options.limits
        transcriber, decoding = model.transcriber, model.decoding
        if wanted.hotwords:
            transcriber = await pool.run(lambda: decoding_as(model, Decoding(hotwords=wanted.hotwords)))
            decoding = BatchedDecoding(transcriber.pipeline, pool)
        file = await pool.run(lambda: recording_of(upload))
        reading = Reading(transcriber.pipeline, file, name_of(upload), limits)
        return reading, segments(reading, pool, decoding)

    def _note(self, transcript: Transcript, model: ServedModel, seconds: float, scope: Scope) -> None:
        metrics, duration = self.service.metrics, transcript.duration
        metrics.audio_s.labels(model.id, "file").inc(duration)
        metrics.rtf.observe(seconds / max(duration, 1e-3))
        notes_of(scope).update(audio_s=round(duration, 3), work_ms=round(1000 * seconds))
        if self.service.options.log_transcripts:
            notes_of(scope).update(text=transcript.text)


async def _stream(found: AsyncIterator[Segment], reading: Reading, wanted: Wanted, send: Send) -> Transcript:
    """Send segments as they come; an error before the first of them is raised, and one after it is an event."""
    decided: list[Segment] = []
    try:
        async for segment in found:
            if not decided:
                await _start_events(send)
            await _send_event(send, formats.delta(segment, len(decided), wanted))
            decided.append(segment)
    except AsrError as error:
        if not decided:
            raise
        await _send_event(send, formats.failed(error))
    transcript = Transcript.of(decided, reading.duration)
    if reading.error is None:
        if not decided:
            await _start_events(send)
        await _send_event(send, formats.done(transcript, wanted))
    await send({"type": "http.response.body", "body": b""})
    return transcript


async def _start_events(send: Send) -> None:
    headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _send_event(send: Send, event: bytes) -> None:
    await send({"type": "http.response.body", "body": event, "more_body": True})


async def _unless_gone(work: Coroutine[Any, Any, None], receive: Receive) -> None:
    """Finish ``work``, or cancel it when the client goes away.

    Raises:
        ClientDisconnect: it did.
    """
    working = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_until_gone(receive))
    try:
        await asyncio.wait((working, gone), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        working.result()
    finally:
        for task in (working, gone):
            task.cancel()
        await asyncio.gather(working, gone, return_exceptions=True)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _nothing() -> Any:
    await asyncio.Event().wait()
