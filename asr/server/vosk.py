"""Text while it is spoken, over the WebSocket protocol of vosk-server, and a little more for the page.

::

    client  {"config": {"sample_rate": 16000, "words": true}}
            <16-bit samples>                                          one answer to each
            {"eof": 1}
    server  {"partial": "FIVE", "stable": ""}
            {"text": "FIVE SIX", "result": [{"conf": 0.97, "start": 0.3, "end": 0.6, "word": "FIVE"}, …]}

docs/http_api.md has the whole. In vosk-server a client may name any path as a model; here it names ids of loaded ones.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from math import prod
from typing import Any

from starlette.websockets import WebSocket

from asr.errors import AsrError, ConfigError
from asr.inference import Decoding, Segment, Update, Word
from asr.server.errors import Refusal, error_object, status_of, wrong_field
from asr.server.live_stream import ENDPOINT_SILENCE_S, End, Inbox, LiveStream, close
from asr.server.logs import notes_of
from asr.server.options import Limits
from asr.server.parameters import hotwords_of
from asr.server.security import accepted_subprotocol
from asr.server.served_models import decoding_as, find_model
from asr.server.service import Service
from asr.typed import from_tree

NORMAL, GOING_AWAY, WRONG, TRY_LATER = 1000, 1001, 1008, 1013
_MOST_ALTERNATIVES = 10
_UNKNOWN_WORD = "[unk]"


@dataclass(frozen=True)
class Config:
    """A client's settings, as its ``config`` message has them.

    Attributes:
        sample_rate: Hz; as in vosk-server unless told.
        words: whether finals have words with times and confidence; any value that is true.
        max_alternatives: how many readings a final has, 0 for one in the plain form.
        phrase_list: all that can be said; anything where it is empty.
        model: the id of a model; the first that is served when None.
        hotwords: words and phrases to favour, each with a weight after a colon where it has one of its own.
        endpoint_silence_s: the pause that makes text final.
    """

    sample_rate: float = 8000.0
    words: Any = False
    max_alternatives: int = 0
    phrase_list: Sequence[str] = ()
    model: str | None = None
    hotwords: Sequence[str] = ()
    endpoint_silence_s: float = ENDPOINT_SILENCE_S


async def vosk(service: Service, websocket: WebSocket) -> None:
    """Serve one client.

    Raises:
        Refusal: there is no place for another stream.
    """
    with service.live.one():
        inbox = Inbox(websocket, service.options.limits)
        await websocket.accept(accepted_subprotocol(websocket.scope.get("subprotocols", ())))
        reading = asyncio.create_task(inbox.read(service.stopping))
        talk = _Talk(service, websocket, Config(model=websocket.query_params.get("model")))
        try:
            await talk.answer_all(inbox)
        except AsrError as error:
            notes_of(websocket.scope)["code"] = error.code
            if status_of(error) == 500:
                raise
            await talk.send(error_object(error))
            await close(websocket, TRY_LATER if status_of(error) == 503 else WRONG)
        finally:
            reading.cancel()
            notes_of(websocket.scope)["audio_s"] = round(talk.heard_s, 3)


class _Talk:
    """A client's settings, and its recording once samples came."""

    def __init__(self, service: Service, websocket: WebSocket, config: Config) -> None:
        self._service, self._websocket, self._config = service, websocket, config
        self._stream: LiveStream | None = None
        self._partial = _partial(Update())

    @property
    def heard_s(self) -> float:
        """Seconds heard so far."""
        return self._stream.heard_s if self._stream else 0.0

    async def send(self, content: dict[str, Any]) -> None:
        await self._websocket.send_text(json.dumps(content, ensure_ascii=False))

    async def answer_all(self, inbox: Inbox) -> None:
        """Send answers until the recording is over, the client goes away or the server is stopping."""
        while True:
            message = await inbox.take()
            if isinstance(message, End):
                if message.is_heard:
                    await self._end(goes_on=False)
                    await close(self._websocket, GOING_AWAY)
                return
            if isinstance(message, list):
                await self._answer_samples(message)
            elif await self._answer_text(message):
                await close(self._websocket, NORMAL)
                return

    async def _answer_samples(self, packets: Sequence[bytes]) -> None:
        """Answer each of some packets, which are computed as one."""
        if self._stream is None:
            self._stream = await self._begin()
        update = await self._stream.accept(b"".join(packets))
        for _ in packets[1:]:
            await self.send(self._partial)
        self._partial = _partial(update)
        await self.send(_final(update.final, self._config) if update.final else self._partial)

    async def _answer_text(self, text: str) -> bool:
        """Answer a message that is not samples; return whether it was the last."""
        message = json_object(text)
        if "config" in message:
            if self._stream is not None:
                raise wrong_field("config", "must come before the first samples")
            given = from_tree(
                Config, {"model": self._config.model, **_object_of("config", message["config"])}, "config"
            )
            self._config = _checked(given, self._service.options.limits)
            return False
        if not message.get("eof") and not message.get("reset"):
            raise Refusal(400, "request", f"config, eof or reset is needed, got {text[:100]!r}")
        await self._end(goes_on=not message.get("eof"))
        return bool(message.get("eof"))

    async def _end(self, *, goes_on: bool) -> None:
        """Send what is final now, perhaps nothing, of a recording that is over or goes on."""
        update = Update()
        if self._stream is not None:
            update = await (self._stream.finalise() if goes_on else self._stream.finish())
        self._partial = _partial(Update())
        await self.send(_final(update.final, self._config))

    async def _begin(self) -> LiveStream:
        models, config = self._service.models, self._config
        model = find_model(models, config.model or next(iter(models)))
        notes_of(self._websocket.scope)["model"] = model.id
        decoding = _decoding(config, self._service.options.limits)
        transcriber = await self._service.pool.run(lambda: decoding_as(model, decoding), urgent=True)
        return LiveStream(self._service, model.id, transcriber, round(config.sample_rate), config.endpoint_silence_s)


def json_object(text: str) -> dict[str, Any]:
    """Return the object that a message is.

    Raises:
        Refusal: it is none.
    """
    try:
        return _object_of("the message", json.loads(text))
    except (ValueError, RecursionError) as fault:
        raise Refusal(400, "request", f"the message is no JSON: {text[:100]!r}") from fault


def _object_of(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise wrong_field(name, "must be a JSON object")
    return value


def _checked(config: Config, limits: Limits) -> Config:
    """Refuse settings that no stream can have, before samples come.

    Raises:
        ConfigError, Refusal: which of them, and why.
    """
    if not 0 <= config.max_alternatives <= _MOST_ALTERNATIVES:
        raise ConfigError(f"config.max_alternatives must be 0 to {_MOST_ALTERNATIVES}, got {config.max_alternatives}")
    if not 1 <= config.sample_rate < 1e9:
        raise ConfigError(f"config.sample_rate must be in Hz, got {config.sample_rate}")
    if len(config.phrase_list) > limits.keywords:
        raise ConfigError(f"config.phrase_list: at most {limits.keywords} are taken, got {len(config.phrase_list)}")
    _decoding(config, limits)
    return config


def _decoding(config: Config, limits: Limits) -> Decoding:
    """Return how a stream is decoded: as the model was tuned, but for what its client asks."""
    phrases = tuple(phrase for phrase in config.phrase_list if phrase.strip() and phrase != _UNKNOWN_WORD)
    are_words = all(len(phrase.split()) == 1 for phrase in phrases)
    return Decoding(
        hotwords=hotwords_of(config.hotwords, "config.hotwords", limits),
        words=phrases if are_words else (),
        grammar=() if are_words else phrases,
        n_best=max(config.max_alternatives, 1),
    )


# Answers


def _partial(update: Update) -> dict[str, Any]:
    return {"partial": update.partial, "stable": update.stable}


def _final(segments: Sequence[Segment], config: Config) -> dict[str, Any]:
    """Return the answer that has these segments, as vosk-server writes it; times count from the first sample."""
    text = " ".join(segment.text for segment in segments)
    words = [_word(word) for segment in segments for word in segment.words]
    listed = {"result": words} if config.words and words else {}
    if not config.max_alternatives:
        return {**listed, "text": text}
    first, *others = _alternatives(segments) or [(text, 1.0)]
    plain = [{"text": other, "confidence": share} for other, share in others]
    return {"alternatives": [{"text": first[0], "confidence": first[1], **listed}, *plain]}


def _alternatives(segments: Sequence[Segment]) -> list[tuple[str, float]]:
    """Return the readings of all segments together, the first of each first, and their shares."""
    best = [(segment.text, segment.n_best[0].probability if segment.n_best else 1.0) for segment in segments]
    ranks = zip_longest(*([(a.text, a.probability) for a in segment.n_best] for segment in segments))
    rows = [[one or best[place] for place, one in enumerate(rank)] for rank in ranks] or [best]
    return [(" ".join(text for text, _ in row), round(prod(share for _, share in row), 4)) for row in rows if row]


def _word(word: Word) -> dict[str, Any]:
    start, end = round(word.start, 3), round(word.end, 3)
    return {"conf": round(word.confidence, 4), "end": end, "start": start, "word": word.text}
