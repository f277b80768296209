"""The recordings that a command line names: files, those below folders, and stdin; and names for their outputs."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO

from asr.errors import AsrError, AudioNotFoundError
from asr.files import files_below

_MEDIA = frozenset(
    ".aif .aifc .aiff .au .caf .mp2 .oga .rf64 .snd .voc .w64 "  # libsndfile reads these
    ".3g2 .3gp .aac .ac3 .amr .ape .asf .avi .awb .flv .m4a .m4b .m4v .mka .mkv .mov .mp4 .mpeg .mpg .ogv .ra .spx "
    ".webm .wma .wmv .wv".split()
)
"""Suffixes of recordings beside those of `asr.audio.AUDIO_SUFFIXES`: what cannot be read is reported, not left out."""


@dataclass(frozen=True)
class Input:
    """One recording of the command line.

    Attributes:
        name: its name in messages and outputs.
        source: the file or stream to read; None is the microphone.
        stem: the path of its output without suffix.
    """

    name: str
    source: Path | BinaryIO | None
    stem: Path


@dataclass
class Found:
    """The recordings that a command line names, and what it names in vain.

    Attributes:
        inputs: the recordings.
        errors: why names are none, or folders cannot be searched.
        notes: what was left out on purpose, a line each.
    """

    inputs: list[Input] = field(default_factory=list)
    errors: list[AsrError | OSError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_inputs(given: Iterable[str]) -> Found:
    """Find the inputs: files, recordings below folders, and ``-`` for stdin."""
    found = Found()
    for name in given:
        if name == "-":
            found.inputs.append(Input("-", sys.stdin.buffer, Path("stdin")))
        elif not name:  # An unset shell variable; Path("") would be the current folder.
            found.errors.append(AudioNotFoundError("'': an empty name; give a file or a folder, . for this one"))
        elif Path(name).is_dir():
            _search(Path(name), found)
        else:
            found.inputs.append(Input(name, Path(name), Path(Path(name).stem)))
    return found


def _search(folder: Path, found: Found) -> None:
    """Add the recordings below a folder."""
    hidden: list[str] = []
    files = files_below(folder, found.errors.append, hidden.append)
    recordings = [path for path in files if _is_recording(path)]
    found.inputs += [Input(str(p), p, p.relative_to(folder).with_suffix("")) for p in recordings]
    if not recordings:
        found.errors.append(AudioNotFoundError(_nothing_in(folder)))
    if hidden:
        more = f"{len(hidden)} hidden files and folders" if len(hidden) > 1 else "a hidden file or folder"
        found.notes.append(f"{folder}: {more} left out, such as {hidden[0]}; name one to transcribe it")


def _is_recording(path: Path) -> bool:
    """Tell a recording by its suffix: also a link to nothing, whose error is then said, but no pipe, which may wait."""
    from asr.audio import AUDIO_SUFFIXES

    return path.suffix.lower() in AUDIO_SUFFIXES | _MEDIA and (path.is_file() or not path.exists())


def _nothing_in(folder: Path) -> str:
    from asr.audio import AUDIO_SUFFIXES

    return f"{folder}: no recordings in this folder (looked for {' '.join(sorted(AUDIO_SUFFIXES))})"


def with_distinct_stems(inputs: Sequence[Input]) -> list[Input]:
    """Give inputs with the same stem longer ones: with the suffix, from their common folder on, or numbered.

    >>> several = ["a/talk.wav", "b/talk.wav", "b/talk.mp3", "b/lesson.wav"]
    >>> [i.stem.as_posix() for i in with_distinct_stems([Input(n, Path(n), Path(Path(n).stem)) for n in several])]
    ['a/talk.wav', 'b/talk.wav', 'talk.mp3', 'lesson']
    """
    named = list(inputs)
    for longer in (_with_suffix, _below_common(inputs)):
        counts = Counter(entry.stem for entry in named)
        named = [entry if counts[entry.stem] == 1 else replace(entry, stem=longer(entry)) for entry in named]
    return list(_numbered(named))


def _with_suffix(entry: Input) -> Path:
    return entry.stem.with_name(entry.stem.name + Path(entry.name).suffix)


def _below_common(inputs: Sequence[Input]) -> Callable[[Input], Path]:
    """Return the function that gives an input's path from the folder on that all files have in common."""
    folders = [os.path.abspath(entry.source.parent) for entry in inputs if isinstance(entry.source, Path)]
    common = os.path.commonpath(folders) if folders else ""
    return lambda entry: Path(os.path.relpath(entry.source, common)) if isinstance(entry.source, Path) else entry.stem


def _numbered(inputs: Iterable[Input]) -> Iterator[Input]:
    """Number what still has the same stem: recordings that were named twice."""
    taken: set[Path] = set()
    for entry in inputs:
        stem, number = entry.stem, 1
        while stem in taken:
            number += 1
            stem = entry.stem.with_name(f"{entry.stem.name}-{number}")
        taken.add(stem)
        yield replace(entry, stem=stem)
