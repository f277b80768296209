"""Transcripts → files, one module a format, shaped as whisper's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from asr.errors import ConfigError
from asr.files import write_atomically
from asr.inference.transcript import Transcript
from asr.inference.writers import json, srt, tsv, txt, vtt

WRITERS: dict[str, Callable[[Transcript], str]] = {
    "txt": txt.render,
    "json": json.render,
    "srt": srt.render,
    "vtt": vtt.render,
    "tsv": tsv.render,
}
"""Format, which is also the suffix → what turns a transcript into the file's text."""


def write_transcript(transcript: Transcript, stem: Path, output_format: str) -> list[Path]:
    """Write ``stem`` with the format's suffix, each format's for ``all``; a file is whole or as before.

    Raises:
        ConfigError: no such format.
    """
    paths = []
    for name in formats(output_format):
        path = stem.with_name(f"{stem.name}.{name}")
        with write_atomically(path) as temporary:
            temporary.write_text(WRITERS[name](transcript), encoding="utf-8", newline="\n")
        paths.append(path)
    return paths


def formats(output_format: str) -> list[str]:
    """The formats that a name stands for: itself, or every one for ``all``.

    Raises:
        ConfigError: no such format.
    """
    if output_format == "all":
        return list(WRITERS)
    if output_format not in WRITERS:
        raise ConfigError(f"no output format {output_format!r}; there are {', '.join(WRITERS)} and all")
    return [output_format]
