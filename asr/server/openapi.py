"""The description of the HTTP routes (OpenAPI 3.1), for programs; WebSockets are in docs/http_api.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asr import __version__
from asr.server.formats import JSON
from asr.server.metrics import MEDIA_TYPE
from asr.server.parameters import FORMATS, GRANULARITIES, INCLUDABLE

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_LIST: Schema = {"type": "array", "items": _TEXT}

_REASONS = {
    400: "A field or the recording is wrong.",
    401: "No key, or another.",
    403: "A page of another site, or a host that this server is not known by.",
    404: "No such thing.",
    408: "The request was not sent in time.",
    413: "More bytes or seconds than this server takes.",
    415: "The body is no form.",
    429: "As many transcriptions as are taken are on their way; Retry-After.",
    503: "Too many connections, or the server is stopping; Retry-After.",
}


def describe() -> Schema:
    """Return the description."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "asr serve", "version": __version__, "license": {"name": "Apache-2.0"}},
        "paths": {
            "/v1/audio/transcriptions": {"post": _transcribe()},
            "/v1/models": {"get": _get("List the models.", _object(object=_TEXT, data=_list_of(_model())))},
            "/v1/models/{model}": {"get": {**_get("Return one model.", _model(), 404), "parameters": [_model_id()]}},
            "/health": {"get": _get("Tell that the process answers.", _object(status=_TEXT, version=_TEXT))},
            "/ready": {"get": _get("Tell that requests are welcome.", _object(status=_TEXT, models=_LIST))},
            "/metrics": {"get": _get("Return numbers for Prometheus.", _TEXT, media_type=MEDIA_TYPE.partition(";")[0])},
        },
        "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        "security": [{"key": []}, {}],
    }


def _transcribe() -> Schema:
    answer = {
        JSON: {"schema": _transcription()},
        **{kind: {"schema": _TEXT} for kind in ("text/plain", "application/x-subrip", "text/vtt")},
        "text/event-stream": {"schema": _object(data={"type": "string", "contentMediaType": JSON})},
    }
    return {
        "operationId": "createTranscription",
        "summary": "Transcribe a recording.",
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _form()}}},
        "responses": {
            "200": {"description": "The transcript.", "content": answer},
            **_refusals(*_REASONS),
        },
    }


def _form() -> Schema:
    return {
        "type": "object",
        "required": ["file", "model"],
        "additionalProperties": False,
        "properties": {
            "file": {"type": "string", "format": "binary"},
            "model": _TEXT,
            "response_format": {"type": "string", "enum": [*FORMATS], "default": "json"},
            "timestamp_granularities[]": _list_of({"type": "string", "enum": [*GRANULARITIES]}),
            "include[]": _list_of({"type": "string", "enum": [*INCLUDABLE]}),
            "stream": {"type": "string", "enum": ["true", "false"], "default": "false"},
            "keywords[]": _LIST,
            "language": _TEXT,
            "languages[]": _LIST,
            "prompt": _TEXT,
            "temperature": _SHARE,
            "chunking_strategy": _TEXT,
        },
    }


def _transcription() -> Schema:
    """Return the schema of ``json`` and of ``verbose_json``."""
    word = _object(word=_TEXT, start=_NUMBER, end=_NUMBER, confidence=_SHARE)
    segment = _object(id={"type": "integer"}, start=_NUMBER, end=_NUMBER, text=_TEXT, confidence=_SHARE)
    schema = _object(text=_TEXT, usage=_object(type={"const": "duration"}, seconds={"type": "integer"}))
    schema["properties"] |= {
        "task": {"const": "transcribe"},
        "language": _TEXT,
        "duration": _NUMBER,
        "words": _list_of(word),
        "segments": _list_of(segment),
        "logprobs": _list_of(_object(token=_TEXT, logprob=_NUMBER, bytes=_list_of({"type": "integer"}))),
    }
    return schema


def _model() -> Schema:
    return _object(id=_TEXT, object={"const": "model"}, created={"type": "integer"}, owned_by=_TEXT)


def _model_id() -> Schema:
    return {"name": "model", "in": "path", "required": True, "schema": _TEXT}


def _get(summary: str, schema: Schema, *refusals: int, media_type: str = JSON) -> Schema:
    answer = {"200": {"description": "Done.", "content": {media_type: {"schema": schema}}}}
    return {"summary": summary, "responses": {**answer, **_refusals(401, 403, 503, *refusals)}}


def _refusals(*statuses: int) -> Schema:
    error = _object(
        error=_object(message=_TEXT, type=_TEXT, param={"type": ["string", "null"]}, code={"type": "string"})
    )
    return {str(status): {"description": _REASONS[status], "content": {JSON: {"schema": error}}} for status in statuses}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "required": [*properties], "properties": {**properties}}


def _list_of(items: Mapping[str, Any]) -> Schema:
    return {"type": "array", "items": items}
