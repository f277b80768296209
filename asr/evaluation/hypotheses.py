"""Hypotheses kept in a file: JSON Lines, one an utterance.

A text, or the error that came instead of one::

    {"id": "an251-fash-b", "text": "YES"}
    {"id": "an252-fash-b", "error": {"code": "audio-empty", "message": "…/an252-fash-b.flac: 0 bytes"}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asr.errors import AsrError, EvaluationError
from asr.files import write_atomically

_SHOWN = 20


def write_hypotheses(path: str | Path, hypotheses: Mapping[str, str | AsrError]) -> None:
    """Write hypotheses by id, atomically.

    Raises:
        EvaluationError: the file cannot be written.
    """
    lines = [json.dumps({"id": name} | _to_json(text), ensure_ascii=False) for name, text in hypotheses.items()]
    try:
        with write_atomically(path) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as fault:
        raise EvaluationError(f"{path}: cannot be written: {fault}") from fault


def _to_json(text: str | AsrError) -> dict[str, Any]:
    if isinstance(text, AsrError):
        return {"error": {"code": text.code, "message": str(text)}}
    return {"text": text}


def read_hypotheses(path: str | Path) -> dict[str, str | AsrError]:
    """Read what ``write_hypotheses`` wrote; an error comes back as an ``AsrError`` with its code.

    Raises:
        EvaluationError: the file cannot be read, or lines are bad or repeat an id; each by its number.
    """
    hypotheses: dict[str, str | AsrError] = {}
    faults: list[str] = []
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        try:
            name, text = _from_json(json.loads(line))
            if name in hypotheses:
                raise ValueError(f"id {name!r} occurs twice")
            hypotheses[name] = text
        except (ValueError, RecursionError) as fault:
            faults.append(f"line {number}: {fault}")
    if faults:
        more = [f"… and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        raise EvaluationError("\n  ".join([f"{path}: {len(faults)} bad lines", *faults[:_SHOWN], *more]))
    return hypotheses


def _from_json(fields: Any) -> tuple[str, str | AsrError]:
    match fields:
        case {"id": str(name), "text": str(text)}:
            return name, text
        case {"id": str(name), "error": {"code": str(code), "message": str(message)}}:
            error = AsrError(message)
            error.code = code
            return name, error
    raise ValueError('{"id": …, "text": …} or {"id": …, "error": {"code": …, "message": …}} is needed')


def read_lines(path: str | Path) -> list[str]:
    """The lines of a UTF-8 file, ended by LF or CRLF, with or without a byte order mark.

    Raises:
        EvaluationError: the file cannot be read or is not UTF-8.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise EvaluationError(f"{path}: cannot be read: {fault}") from fault
    return text.removesuffix("\n").split("\n") if text else []
