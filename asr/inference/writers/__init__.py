"""Transcripts → files, one module a format, shaped as whisper's."""

from __future__ import annotations

from pathlib import Path

from asr.errors import ConfigError
from asr.files import write_text
from asr.inference.transcript import Transcript
from asr.inference.writers import ctm
from asr.inference.writers.formats import FORMATS, Format
from asr.inference.writers.json import as_json, one_object
from asr.inference.writers.options import BROADCAST, PLAIN, SubtitleOptions

__all__ = [
    "BROADCAST",
    "FORMATS",
    "PLAIN",
    "Format",
    "SubtitleOptions",
    "formats",
    "render_named",
    "render_transcript",
    "write_transcript",
]


def render_transcript(
    transcript: Transcript, output_format: str, recording: str = "recording", options: SubtitleOptions = PLAIN
) -> str:
    """Return the text of a file of one format.

    Args:
        transcript: what was said.
        output_format: a name of `FORMATS`.
        recording: what ctm calls the recording.
        options: how srt and vtt are cut.

    Raises:
        ConfigError: no such format.
    """
    if output_format not in FORMATS:
        raise _no_such_format(output_format)
    return FORMATS[output_format].render(transcript, recording, options)


def render_named(transcript: Transcript, output_format: str, key: str, name: str) -> str:
    """Return the text of one of several recordings in one file or on one screen; each line names the recording.

    Args:
        transcript: what was said.
        output_format: a name of `FORMATS` that ``names_recordings``.
        key: what JSON calls the name, such as ``path``.
        name: of the recording.

    Raises:
        ConfigError: no such format, or none that can tell recordings apart.
    """
    if output_format not in FORMATS:
        raise _no_such_format(output_format)
    if output_format == "txt":
        return f"{name}\t{transcript.text}\n"
    if output_format == "ctm":
        return ctm.render(transcript, name)
    if not FORMATS[output_format].names_recordings:
        raise ConfigError(f"{output_format} cannot tell recordings apart; write a file for each")
    content = as_json(transcript)
    objects = [content] if output_format == "json" else content["segments"]
    return "".join(one_object({key: name, **each}) for each in objects)


def write_transcript(
    transcript: Transcript, stem: Path, output_format: str, options: SubtitleOptions = PLAIN
) -> list[Path]:
    """Write ``stem`` with the suffix of each format; a file is whole or as before.

    Args:
        transcript: what was said.
        stem: path without suffix; its name is what ctm calls the recording.
        output_format: as `formats` reads it.
        options: how srt and vtt are cut.

    Raises:
        ConfigError: no such format.
    """
    paths = []
    for name in formats(output_format):
        path = stem.with_name(f"{stem.name}.{name}")
        write_text(path, render_transcript(transcript, name, stem.name, options))
        paths.append(path)
    return paths


def formats(output_format: str) -> list[str]:
    """Return the formats that a name stands for: itself, several with commas between, or every one for ``all``.

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
