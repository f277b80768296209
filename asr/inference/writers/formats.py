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
        about: the content of a file, for the help of the command line.
        has_lines: whether its text is broken into lines as `SubtitleOptions` says.
        has_words: whether it gives each word's times, with ``word_timestamps`` or always.
        has_n_best: whether it gives the hypotheses of each segment.
        names_recordings: whether several recordings may follow one another in one file and be told apart.
    """

    render: Callable[[Transcript, str, SubtitleOptions], str]
    about: str
    has_lines: bool = False
    has_words: bool = False
    has_n_best: bool = False
    names_recordings: bool = False


FORMATS: dict[str, Format] = {
    "txt": Format(
        lambda transcript, recording, options: txt.render(transcript),
        "one line for each segment",
        names_recordings=True,
    ),
    "json": Format(
        lambda transcript, recording, options: json.render(transcript),
        "one object for each recording: segments and their words with times and confidence",
        has_words=True,
        has_n_best=True,
        names_recordings=True,
    ),
    "jsonl": Format(
        lambda transcript, recording, options: jsonl.render(transcript),
        "one object for each segment, likewise",
        has_words=True,
        has_n_best=True,
        names_recordings=True,
    ),
    "srt": Format(
        lambda transcript, recording, options: srt.render(transcript, options),
        "subtitles (SubRip)",
        has_lines=True,
        has_words=True,
    ),
    "vtt": Format(
        lambda transcript, recording, options: vtt.render(transcript, options),
        "subtitles (WebVTT); with --word_timestamps the text has the start time of each word",
        has_lines=True,
        has_words=True,
    ),
    "tsv": Format(
        lambda transcript, recording, options: tsv.render(transcript),
        "start and end in ms, text",
    ),
    "ctm": Format(
        lambda transcript, recording, options: ctm.render(transcript, recording),
        "one line for each word, for NIST's sclite",
        has_words=True,
        names_recordings=True,
    ),
    "TextGrid": Format(
        lambda transcript, recording, options: textgrid.render(transcript),
        "Praat's tiers of segments and words",
        has_words=True,
    ),
}
"""Each name is also the suffix of its files."""
