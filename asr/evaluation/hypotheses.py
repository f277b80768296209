"""Files of hypotheses: JSON Lines, one utterance a line.

A line holds a text, with the times and confidence of its words if the system gives them, or the error instead of it::

    {"id": "an251-fash-b", "text": "YES"}
    {"id": "an251-fash-b", "text": "YES", "words": [{"text": "YES", "start": 0.3, "end": 0.81, "confidence": 0.98}]}
    {"id": "an252-fash-b", "error": {"code": "audio-empty", "message": "…/an252-fash-b.flac: 0 bytes"}}

A line may name the normaliser of the model that wrote it: ``"normaliser": "letters"``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from asr.errors import AsrError, EvaluationError
from asr.files import to_json, write_text
from asr.text import NORMALISERS

_SHOWN = 20


@dataclass(frozen=True)
class HypothesisWord:
    """A word of a hypothesis, with ``start`` and ``end`` in seconds from the utterance's start.

    ``confidence`` is the system's probability, 0 to 1, that the word is right.
    """

    text: str
    start: float
    end: float
    confidence: float


def write_hypotheses(
    path: str | Path,
    hypotheses: Mapping[str, str | AsrError],
    words: Mapping[str, tuple[HypothesisWord, ...]] | None = None,
    normaliser: str | None = None,
) -> None:
    """Write hypotheses by id, atomically, each with its timed words if ``words`` has them.

    Args:
        path: the file.
        hypotheses: texts, or errors in place of them.
        words: timed words of some of the hypotheses.
        normaliser: the name of the normaliser that the model's texts are written by, where it has one.

    Raises:
        EvaluationError: the file cannot be written.
    """
    written = {} if normaliser is None else {"normaliser": normaliser}
    rows = [{"id": name} | _to_json(text, (words or {}).get(name)) | written for name, text in hypotheses.items()]
    try:
        write_text(path, "".join(to_json(row) + "\n" for row in rows))
    except OSError as fault:
        raise EvaluationError(f"{path}: cannot be written: {fault.strerror}") from fault


def _to_json(text: str | AsrError, words: tuple[HypothesisWord, ...] | None) -> dict[str, Any]:
    if isinstance(text, AsrError):
        return {"error": {"code": text.code, "message": str(text)}}
    return {"text": text} | ({} if words is None else {"words": [_rounded(asdict(word)) for word in words]})


def _rounded(word: dict[str, Any]) -> dict[str, Any]:
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in word.items()}


def read_hypotheses(path: str | Path) -> dict[str, str | AsrError]:
    """Read a file that ``write_hypotheses`` wrote; an error becomes an ``AsrError`` with its code.

    Raises:
        EvaluationError: the file cannot be read, or lines, named by number, are faulty or repeat an id.
    """
    return {name: text for name, text, _ in _read(path)}


def read_hypothesis_words(path: str | Path) -> dict[str, tuple[HypothesisWord, ...]]:
    """Read the timed words of those hypotheses that have them, by id; raise the errors of ``read_hypotheses``."""
    return {name: words for name, _, words in _read(path) if words is not None}


def read_hypotheses_normaliser(path: str | Path) -> str | None:
    """Return the normaliser that all lines name, None where they name none or several.

    Raises:
        EvaluationError: the file cannot be read; bad lines are left to ``read_hypotheses``.
    """
    named = set()
    for line in read_lines(path):
        try:
            fields = json.loads(line) if line.strip() else {}
        except (ValueError, RecursionError):
            return None
        if fields:
            named.add(fields.get("normaliser") if isinstance(fields, dict) else None)
    (name,) = named if len(named) == 1 else (None,)
    return name if name in NORMALISERS else None


_Row = tuple[str, str | AsrError, tuple[HypothesisWord, ...] | None]


def _read(path: str | Path) -> list[_Row]:
    rows: dict[str, _Row] = {}
    faults: list[str] = []
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        try:
            row = _from_json(json.loads(line))
            if row[0] in rows:
                raise ValueError(f"id {row[0]!r} occurs twice")
            rows[row[0]] = row
        except (ValueError, RecursionError) as fault:
            faults.append(f"line {number}: {fault}")
    if faults:
        more = [f"… and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        raise EvaluationError("\n  ".join([f"{path}: {len(faults)} bad lines", *faults[:_SHOWN], *more]))
    return list(rows.values())


def _from_json(fields: Any) -> _Row:
    match fields:
        case {"id": str(name), "text": str(text), "words": list(words)}:
            return name, text, tuple(map(_word, words))
        case {"id": str(name), "text": str(text)}:
            return name, text, None
        case {"id": str(name), "error": {"code": str(code), "message": str(message)}}:
            error = AsrError(message)
            error.code = code
            return name, error, None
    raise ValueError('{"id": …, "text": …} or {"id": …, "error": {"code": …, "message": …}} is needed')


def _word(row: Any) -> HypothesisWord:
    match row:
        case {"text": str(text), "start": start, "end": end, "confidence": confidence} if (
            _between(start, 0, end) and _between(end, 0, sys.float_info.max) and _between(confidence, 0, 1)
        ):
            return HypothesisWord(text, float(start), float(end), float(confidence))
    raise ValueError(f"a word is its text, start <= end in seconds and confidence from 0 to 1, got {row!r}")


def _between(value: Any, low: Any, high: Any) -> bool:
    numbers = all(isinstance(number, int | float) and not isinstance(number, bool) for number in (value, low, high))
    return numbers and low <= value <= high


def read_lines(path: str | Path) -> list[str]:
    """Read the lines of a UTF-8 file, with LF or CRLF, with or without a byte order mark.

    Raises:
        EvaluationError: the file cannot be read or is not UTF-8.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise EvaluationError(f"{path}: cannot be read: {fault}") from fault
    return text.removesuffix("\n").split("\n") if text else []
