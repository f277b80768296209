"""Errors as the server answers them in place of a transcript: a status, a stable code, and one line.

::

    {"error": {"message": "…", "type": "invalid_request_error", "param": "file", "code": "audio-empty"}}

The statuses are chosen by what OpenAI's client does: it tries again by itself after 408, 409, 429 and 5xx, and after
nothing else.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse

from asr.errors import AsrError, AudioError, BundleNotFoundError, ConfigError, LanguageModelError, VocabularyError

_BY_THE_CLIENT = (AudioError, ConfigError, LanguageModelError, VocabularyError)
"""Errors of what the client sent: its recording and its hotwords."""

_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error", 500: "server_error"}


class Refusal(AsrError):
    """A request that is not taken; its ``code`` is one of those of docs/http_api.md, and does not change.

    Attributes:
        status: the HTTP status.
        param: the field at fault, if one is.
        retry_after_s: when to try again, where that may help.
    """

    def __init__(
        self, status: int, code: str, message: str, *, param: str | None = None, retry_after_s: int | None = None
    ) -> None:
        """Say ``message``; the attributes are those of the class."""
        super().__init__(message)
        self.status, self.code, self.param, self.retry_after_s = status, code, param, retry_after_s


def wrong_field(param: str, message: str) -> Refusal:
    """Return the refusal of a field's value."""
    return Refusal(400, "request", f"{param}: {message}", param=param)


def status_of(error: AsrError) -> int:
    """Return the HTTP status of an error.

    >>> from asr.errors import AudioEmptyError, TrainingError
    >>> status_of(AudioEmptyError("")), status_of(TrainingError(""))
    (400, 500)
    """
    if isinstance(error, Refusal):
        return error.status
    if isinstance(error, BundleNotFoundError):
        return 404
    return 400 if isinstance(error, _BY_THE_CLIENT) else 500


def error_object(error: AsrError) -> dict[str, Any]:
    """Return an error as clients of OpenAI's API read it."""
    status = status_of(error)
    kind = _TYPES.get(status, "server_error" if status > 500 else "invalid_request_error")
    param = error.param if isinstance(error, Refusal) else "file" if isinstance(error, AudioError) else None
    return {"error": {"message": str(error), "type": kind, "param": param, "code": error.code}}


def error_response(error: AsrError) -> JSONResponse:
    """Return the HTTP response that says what was wrong."""
    wait = error.retry_after_s if isinstance(error, Refusal) else None
    headers = {} if wait is None else {"retry-after": str(wait)}
    if isinstance(error, Refusal) and error.status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(error_object(error), status_of(error), headers)


INTERNAL = Refusal(500, "internal", "a fault of the server; its log has it by the request id")
