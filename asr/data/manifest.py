"""Manifests: JSON Lines of utterances, the format that NeMo made common.

One line, with the keys this project writes (``offset`` only where it is not 0)::

    {"id": "an251-fash-b", "audio_filepath": "…/an251-fash-b.flac", "duration": 1.1, "text": "YES",
     "speaker": "fash"}

Other keys are ignored; ``id`` and ``speaker`` may be missing or null in manifests made elsewhere: the id is
then the recording's stem, and the speaker is the id (each recording its own speaker). Only LF and CRLF end a
line: U+2028, U+0085 and the like may occur inside a text.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from asr.data.utterance import Utterance
from asr.errors import ManifestError
from asr.files import to_json, write_atomically

_SHOWN = 20


def write_manifest(path: str | Path, utterances: Iterable[Utterance]) -> None:
    """Write ``utterances`` atomically: the file is either complete or unchanged."""
    with write_atomically(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        for utterance in utterances:
            file.write(to_json(_to_fields(utterance)) + "\n")


def read_manifest(path: str | Path) -> list[Utterance]:
    """Read a manifest whole; paths relative to its folder are made absolute.

    Raises:
        ManifestError: the file cannot be read or is empty, a line is invalid, or an id occurs
            twice; every bad line is named by its number (the first 20 with their reason).
    """
    path = Path(path)
    utterances: list[Utterance] = []
    seen: dict[str, int] = {}
    faults: list[str] = []
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            utterance = _from_json(json.loads(line), path.parent.absolute())
            if utterance.id in seen:
                raise ValueError(f"id {utterance.id!r} is also on line {seen[utterance.id]}")
        except (ValueError, RecursionError) as fault:
            faults.append(f"line {number}: {fault}")
            continue
        seen[utterance.id] = number
        utterances.append(utterance)
    if faults:
        more = [f"… and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        raise ManifestError("\n  ".join([f"{path}: {len(faults)} bad lines", *faults[:_SHOWN], *more]))
    if not utterances:
        raise ManifestError(f"{path}: no utterances")
    return utterances


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as fault:
        raise ManifestError(f"{path}: cannot be read: {fault}") from fault


def _to_fields(utterance: Utterance) -> dict[str, Any]:
    fields = {
        "id": utterance.id,
        "audio_filepath": utterance.audio_filepath,
        "duration": round(utterance.duration, 6),
        "text": utterance.text,
        "speaker": utterance.speaker,
    }
    return fields | ({"offset": utterance.offset} if utterance.offset else {})


def _from_json(fields: Any, folder: Path) -> Utterance:
    """Check one decoded line; ``ValueError`` says what is wrong with it."""
    if not isinstance(fields, dict):
        raise ValueError(f"an object is needed, got {type(fields).__name__}")
    if not _string(fields, "audio_filepath"):
        raise ValueError("'audio_filepath' is empty")
    recording = folder / fields["audio_filepath"]
    duration = _seconds(fields, "duration")
    if duration == 0:
        raise ValueError("'duration' must be > 0 seconds, got 0")
    identity = _name(fields, "id", recording.stem)
    return Utterance(
        id=identity,
        audio_filepath=str(recording),
        duration=duration,
        text=_string(fields, "text"),
        speaker=_name(fields, "speaker", identity),
        offset=_seconds({"offset": 0} | fields, "offset"),
    )


def _string(fields: dict[str, Any], key: str) -> str:
    if not isinstance(value := fields.get(key), str):
        raise ValueError(f"{key!r} must be a string, got {value!r}")
    return value


def _name(fields: dict[str, Any], key: str, default: str) -> str:
    """Return a non-empty string; whole numbers, as some corpora name speakers, become strings."""
    value = fields.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise ValueError(f"{key!r} must be a name, got {value!r}")
    return str(value)


def _seconds(fields: dict[str, Any], key: str) -> float:
    value = fields.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= sys.float_info.max:
        raise ValueError(f"{key!r} must be seconds, got {value!r}")
    return float(value)
