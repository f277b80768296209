r"""The log: one JSON object a line on stderr, with request ids, and without what was said.

::

    {"time": "2026-11-28T22:10:04.120Z", "level": "info", "event": "request", "request_id": "…", "method": "POST",
     "path": "/v1/audio/transcriptions", "status": 200, "ms": 84, "model": "an4", "audio_s": 1.88}
"""

from __future__ import annotations

import json
import logging
import traceback
import warnings
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

from asr.errors import AudioWarning

LOGGER = logging.getLogger("asr.server")
_FIELDS = "asr_fields"
_NOTES = "asr.notes"


class JsonLines(logging.Formatter):
    """A formatter of records, those of uvicorn too, as one JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        content = {"time": at, "level": record.levelname.lower(), "event": record.getMessage().strip()}
        content |= getattr(record, _FIELDS, {})
        if record.exc_info and record.exc_info[1] is not None:
            content["traceback"] = "".join(traceback.format_exception(record.exc_info[1]))
        return json.dumps(content, ensure_ascii=False, default=str)


def _is_wanted(record: logging.LogRecord) -> bool:
    """Tell a record from the one that uvicorn 0.54 wrongly writes whenever a WebSocket is refused with a body."""
    return not record.getMessage().startswith("ASGI callable returned without completing handshake")


def configure() -> None:
    """Send the server's own records, and the warnings of all others, to stderr as JSON."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    handler.addFilter(_is_wanted)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    LOGGER.setLevel(logging.INFO)
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of every form that a client got wrong
    warnings.showwarning = _log_warning
    warnings.simplefilter("always", AudioWarning)


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: object = None,
    line: object = None,
) -> None:
    log(str(message), logging.WARNING, category=category.__name__)


def log(event: str, level: int = logging.INFO, *, fault: BaseException | None = None, **fields: Any) -> None:
    """Write one event, with the traceback of ``fault`` where one is given."""
    LOGGER.log(level, event, exc_info=fault, extra={_FIELDS: fields})


def notes_of(scope: MutableMapping[str, Any]) -> dict[str, Any]:
    """Return the fields that the line of this request will have; whoever handles it adds to them."""
    notes: dict[str, Any] = scope.setdefault(_NOTES, {})
    return notes
