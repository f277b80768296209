"""The formats of transcripts. To add one: a module that renders a transcript, and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from asr.inference.transcript import Transcript
from asr.inference.writers import ctm, json, jsonl, srt, textgrid, tsv, txt, vtt
from asr.inference.writers.options import SubtitleOptions


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        render: makes the text of a file of a transcript, what the recording is called, and how subtitles are cut.
        has_lines: whether its text is broken into lines as `SubtitleOptions` says.
        names_recordings: whether several recordings may follow one another in one file and be told apart.
    """

    render: Callable[[Transcript, str, SubtitleOptions], str]
    has_lines: bool = False
    names_recordings: bool = False


FORMATS: dict[str, Format] = {
    "txt": Format(lambda transcript, recording, options: txt.render(transcript), names_recordings=True),
    "json": Format(lambda transcript, recording, options: json.render(transcript), names_recordings=True),
    "jsonl": Format(lambda transcript, recording, options: jsonl.render(transcript), names_recordings=True),
    "srt": Format(lambda transcript, recording, options: srt.render(transcript, options), has_lines=True),
    "vtt": Format(lambda transcript, recording, options: vtt.render(transcript, options), has_lines=True),
    "tsv": Format(lambda transcript, recording, options: tsv.render(transcript)),
    "ctm": Format(lambda transcript, recording, options: ctm.render(transcript, recording), names_recordings=True),
    "TextGrid": Format(lambda transcript, recording, options: textgrid.render(transcript)),
}
"""Each name is also the suffix of its files."""
