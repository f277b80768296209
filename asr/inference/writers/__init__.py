"""Transcripts → files, one module a format, shaped as whisper's."""

from __future__ import annotations

from pathlib import Path

from asr.errors import ConfigError
from asr.files import write_text
from asr.inference.transcript import Transcript
from asr.inference.writers.formats import FORMATS, Format
from asr.inference.writers.options import PLAIN, SubtitleOptions

__all__ = ["FORMATS", "PLAIN", "Format", "SubtitleOptions", "formats", "render_transcript", "write_transcript"]


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
