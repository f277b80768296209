"""Transcripts → files, one module a format, shaped as whisper's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from asr.errors import ConfigError
from asr.files import write_atomically
from asr.inference.transcript import Transcript
from asr.inference.writers import ctm, json, jsonl, srt, tsv, txt, vtt
from asr.inference.writers.options import PLAIN, SubtitleOptions

_SUBTITLES = {"srt": srt.render, "vtt": vtt.render}
_OTHERS: dict[str, Callable[[Transcript], str]] = {
    "txt": txt.render,
    "json": json.render,
    "jsonl": jsonl.render,
    "tsv": tsv.render,
}
FORMATS = ("txt", "json", "jsonl", "srt", "vtt", "tsv", "ctm")
"""Each is also the suffix of its files."""


def render_transcript(
    transcript: Transcript, output_format: str, recording: str = "recording", options: SubtitleOptions = PLAIN
) -> str:
    """The text of a file of one format.

    Args:
        transcript: what was said.
        output_format: one of `FORMATS`.
        recording: what ctm calls the recording.
        options: of srt and vtt.

    Raises:
        ConfigError: no such format.
    """
    if output_format in _SUBTITLES:
        return _SUBTITLES[output_format](transcript, options)
    if output_format == "ctm":
        return ctm.render(transcript, recording)
    if output_format in _OTHERS:
        return _OTHERS[output_format](transcript)
    raise _no_such_format(output_format)


def write_transcript(
    transcript: Transcript, stem: Path, output_format: str, options: SubtitleOptions = PLAIN
) -> list[Path]:
    """Write ``stem`` with the suffix of each format; a file is whole or as before.

    Args:
        transcript: what was said.
        stem: path without suffix; its name is what ctm calls the recording.
        output_format: as `formats` reads it.
        options: of srt and vtt.

    Raises:
        ConfigError: no such format.
    """
    paths = []
    for name in formats(output_format):
        path = stem.with_name(f"{stem.name}.{name}")
        with write_atomically(path) as temporary:
            text = render_transcript(transcript, name, stem.name, options)
            temporary.write_text(text, encoding="utf-8", newline="\n")
        paths.append(path)
    return paths


def formats(output_format: str) -> list[str]:
    """The formats that a name stands for: itself, several with commas between, or every one for ``all``.

    Raises:
        ConfigError: no such format.
    """
    if output_format == "all":
        return list(FORMATS)
    names = list(dict.fromkeys(output_format.split(",")))
    if unknown := [name for name in names if name not in FORMATS]:
        raise _no_such_format(unknown[0])
    return names


def _no_such_format(name: str) -> ConfigError:
    return ConfigError(f"no output format {name!r}; there are {', '.join(FORMATS)}; or all, alone")
