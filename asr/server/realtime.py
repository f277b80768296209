"""OpenAI's realtime API as far as it transcribes: base64 samples in, an item for each final segment out.

::

    client  {"type": "session.update", "session": {"type": "transcription", "audio": {"input": {…}}}}
            {"type": "input_audio_buffer.append", "audio": "<base64 of 16-bit samples>"}
            {"type": "input_audio_buffer.commit"}                     make final what was said, now
    server  {"type": "session.created", …}  {"type": "session.updated", …}
            {"type": "input_audio_buffer.committed", "item_id": "item_1", "previous_item_id": null}
            {"type": "conversation.item.input_audio_transcription.delta", "item_id": "item_1", "delta": "FIVE SIX"}
            {"type": "conversation.item.input_audio_transcription.completed", …, "transcript": "FIVE SIX"}

Where speech pauses, a segment is final by itself, as with OpenAI's detection of turns.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from starlette.websockets import WebSocket

from asr.errors import AsrError
from asr.inference import Segment
from asr.server.errors import Refusal, error_object, status_of, wrong_field
from asr.server.formats import usage
from asr.server.live_stream import ENDPOINT_SILENCE_S, End, Inbox, LiveStream, close
from asr.server.logs import notes_of
from asr.server.security import accepted_subprotocol
from asr.server.served_models import find_model
from asr.server.service import Service
from asr.server.vosk import GOING_AWAY, TRY_LATER, json_object

RATE = 24_000
"""Hz, where a session says nothing else."""

_TRANSCRIPTION = "conversation.item.input_audio_transcription"


@dataclass(frozen=True)
class Session:
    """A client's settings.

    Attributes:
        model: the id of a model.
        sample_rate: Hz.
        endpoint_silence_s: the pause that makes text final.
        has_turns: whether finals come at pauses too; else only where the client commits.
    """

    model: str
    sample_rate: int = RATE
    endpoint_silence_s: float = ENDPOINT_SILENCE_S
    has_turns: bool = True

    def as_json(self) -> dict[str, Any]:
        """Return the session as its events have it."""
        heard = {
            "format": {"type": "audio/pcm", "rate": self.sample_rate},
            "transcription": {"model": self.model},
            "turn_detection": {"type": "server_vad", "silence_duration_ms": round(1000 * self.endpoint_silence_s)}
            if self.has_turns
            else None,
        }
        return {"type": "transcription", "audio": {"input": heard}}


async def realtime(service: Service, websocket: WebSocket) -> None:
    """Serve one client; an error is an event, and the session goes on.

    Raises:
        Refusal: there is no place for another stream.
        BundleNotFoundError: the address names a model that there is not.
    """
    model = websocket.query_params.get("model") or next(iter(service.models))
    with service.live.one():
        session = Session(find_model(service.models, model).id)
        await websocket.accept(accepted_subprotocol(websocket.scope.get("subprotocols", ())))
        inbox = Inbox(websocket, service.options.limits)
        reading = asyncio.create_task(inbox.read(service.stopping))
        talk = _Talk(service, websocket, session)
        try:
            await talk.answer_all(inbox)
        finally:
            reading.cancel()
            notes_of(websocket.scope).update(model=session.model, audio_s=round(talk.heard_s, 3))


class _Talk:
    """A client's session, the recording that is on, and the items that there have been."""

    def __init__(self, service: Service, websocket: WebSocket, session: Session) -> None:
        self._service, self._websocket, self._session = service, websocket, session
        self._stream: LiveStream | None = None
        self._found: list[Segment] = []
        self._numbers = count(1)
        self._last_item: str | None = None
        self._item_from_s = self.heard_s = 0.0

    async def send(self, kind: str, **content: Any) -> None:
        event = {"type": kind, "event_id": f"event_{next(self._numbers)}", **content}
        await self._websocket.send_text(json.dumps(event, ensure_ascii=False))

    async def answer_all(self, inbox: Inbox) -> None:
        """Send answers until the client goes away, says nothing for too long, or the server is stopping."""
        await self.send("session.created", session=self._session.as_json())
        while True:
            try:
                message = await inbox.take()
                if isinstance(message, End):
                    return await self._end(message)
                await self._answer(message)
            except AsrError as error:
                notes_of(self._websocket.scope)["code"] = error.code
                if status_of(error) == 500:
                    raise
                await self.send("error", **error_object(error))
                if status_of(error) in (408, 503):
                    return await close(self._websocket, TRY_LATER)

    async def _end(self, end: End) -> None:
        if end.is_heard:
            if self._stream is not None and (found := [*self._found, *(await self._stream.finish()).final]):
                await self._send_item(found)
            await close(self._websocket, GOING_AWAY)

    async def _answer(self, message: list[bytes] | str) -> None:
        if isinstance(message, list):
            raise Refusal(400, "request", "samples come as base64, in input_audio_buffer.append")
        event = json_object(message)
        answers = {
            "session.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
        }
        kind = event.get("type")
        if kind not in answers:
            raise wrong_field("type", f"must be {', '.join(answers)}, got {str(kind)[:100]!r}")
        await answers[kind](event)

    async def _update(self, event: Mapping[str, Any]) -> None:
        if self._stream is not None:
            raise wrong_field("session", "cannot change once samples came; clear them first")
        self._session = _updated(self._session, event.get("session"))
        find_model(self._service.models, self._session.model)
        await self.send("session.updated", session=self._session.as_json())

    async def _append(self, event: Mapping[str, Any]) -> None:
        samples = _samples(event.get("audio"))
        if self._stream is None:
            model = find_model(self._service.models, self._session.model)
            rate, silence_s = self._session.sample_rate, self._session.endpoint_silence_s
            self._stream = LiveStream(self._service, model.id, model.transcriber, rate, silence_s)
            self._item_from_s = 0.0
        before_s = self._stream.heard_s
        update = await self._stream.accept(samples)
        self.heard_s += self._stream.heard_s - before_s
        self._found += update.final
        if self._found and self._session.has_turns:
            await self._send_item(self._found)

    async def _commit(self, event: Mapping[str, Any]) -> None:
        if self._stream is None:
            raise Refusal(400, "request", "there are no samples to commit")
        await self._send_item([*self._found, *(await self._stream.finalise()).final])

    async def _clear(self, event: Mapping[str, Any]) -> None:
        self._stream, self._found = None, []
        await self.send("input_audio_buffer.cleared")

    async def _send_item(self, segments: Sequence[Segment]) -> None:
        """Send the events of an item, which has these segments; a client that asked for it gets an empty one too."""
        item = {"item_id": f"item_{next(self._numbers)}"}
        text = " ".join(segment.text for segment in segments)
        heard_s = self._stream.heard_s if self._stream else 0.0
        used = usage(max(heard_s - self._item_from_s, 0.0))
        await self.send("input_audio_buffer.committed", **item, previous_item_id=self._last_item)
        if text:
            await self.send(f"{_TRANSCRIPTION}.delta", **item, content_index=0, delta=text)
        await self.send(f"{_TRANSCRIPTION}.completed", **item, content_index=0, transcript=text, usage=used)
        self._last_item, self._item_from_s, self._found = item["item_id"], heard_s, []


def _updated(session: Session, given: Any) -> Session:
    """Return a session with what a client sets; the rest of OpenAI's settings changes nothing here.

    Raises:
        Refusal: it is no session of transcription, or one that cannot be.
    """
    if not isinstance(given, Mapping) or given.get("type") != "transcription":
        raise wrong_field("session", "must be an object of type transcription; nothing here speaks")
    heard = _part(_part(given, "audio"), "input")
    form, model = _part(heard, "format"), _part(heard, "transcription").get("model", session.model)
    rate = form.get("rate", session.sample_rate)
    if form.get("type", "audio/pcm") != "audio/pcm" or not isinstance(rate, int):
        raise wrong_field("session.audio.input.format", f"must be audio/pcm at a rate in Hz, got {str(form)[:100]}")
    if not isinstance(model, str):
        raise wrong_field("session.audio.input.transcription.model", "must be the id of a model")
    turns = heard.get("turn_detection", {})
    silence_ms = _part(heard, "turn_detection").get("silence_duration_ms", 1000 * session.endpoint_silence_s)
    if not isinstance(silence_ms, int | float):
        raise wrong_field("session.audio.input.turn_detection.silence_duration_ms", "must be a number")
    return replace(
        session, model=model, sample_rate=rate, endpoint_silence_s=silence_ms / 1000, has_turns=turns is not None
    )


def _part(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = given.get(name) or {}
    if not isinstance(part, Mapping):
        raise wrong_field(f"session: {name}", "must be an object")
    return part


def _samples(audio: Any) -> bytes:
    try:
        return base64.b64decode(audio, validate=True)
    except (TypeError, ValueError, binascii.Error) as fault:
        raise wrong_field("audio", "must be base64 of 16-bit samples") from fault
