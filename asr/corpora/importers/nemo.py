"""NeMo manifests: JSON Lines, one manifest a file.

``DIR`` may be one file. Each line is an object; ``offset`` and ``duration`` are seconds, and cut an utterance from a
longer recording; ``speaker`` and ``id`` are optional::

    {"audio_filepath": "wav/0001.wav", "duration": 1.82, "text": "well hello", "offset": 0.0, "speaker": "anna"}

Paths are relative to the file's folder. Without ``id`` the id is the path without suffix, with the offset in
milliseconds where there is one: ``wav/0001@1500``. Without ``speaker`` each utterance is its own speaker.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from asr.corpora.disk import lists_at, read_lines
from asr.corpora.entry import Dropped, Entry, Reason
from asr.corpora.identity import portable_ids
from asr.corpora.importer import Importer
from asr.errors import CorpusError

_LISTS = (".jsonl", ".json")


def read(folder: Path) -> Iterator[Entry | Dropped]:
    """Yield the lines of the manifest, or of every manifest in the folder."""
    lists = {path: read_lines(path) for path in lists_at(folder, _LISTS)}
    manifests = {path: lines for path, lines in lists.items() if lines and _object(lines[0])}
    if not manifests:
        raise CorpusError(
            f"{folder}: looked for *.jsonl or *.json, each line an object with audio_filepath; "
            "name the folder that holds such a file, or the file"
        )
    for path, lines in manifests.items():
        yield from _read_manifest(path, lines)


def _read_manifest(path: Path, lines: list[str]) -> Iterator[Entry | Dropped]:
    objects = [_object(line) for line in lines]
    for number, fields in enumerate(objects, start=1):
        if fields is None:
            yield Dropped(path.stem, f"line {number}", Reason.BAD_LINE)
    good = [fields for fields in objects if fields]
    for fields, name in zip(good, portable_ids([fields["audio_filepath"] for fields in good]), strict=True):
        yield _entry(path, fields, name)


def _entry(path: Path, fields: dict[str, Any], name: str) -> Entry | Dropped:
    offset, duration = fields.get("offset"), fields.get("duration")
    identity = str(fields.get("id") or (name if offset is None else f"{name}@{round(1000 * offset)}"))
    if fields.get("text") is None:
        return Dropped(path.stem, identity, Reason.NO_TRANSCRIPT)
    speaker = str(fields.get("speaker") or identity)
    recording = path.parent / fields["audio_filepath"]
    return Entry(path.stem, identity, recording, fields["text"], speaker, offset or 0.0, duration)


def _object(line: str) -> dict[str, Any] | None:
    """Return the line's object when its fields are of the right kinds."""
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    if not isinstance(fields, dict) or not isinstance(fields.get("audio_filepath"), str):
        return None
    seconds = [fields[key] for key in ("offset", "duration") if fields.get(key) is not None]
    right = all(isinstance(value, int | float) and math.isfinite(value) for value in seconds)
    right = right and isinstance(fields.get("text"), str | None)
    return fields if right and fields["audio_filepath"] else None


IMPORTER = Importer(
    "NeMo manifests: JSON Lines with audio_filepath, text, duration, perhaps offset and speaker",
    read,
    lists=_LISTS,
)
