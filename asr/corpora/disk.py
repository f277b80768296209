"""Functions that find and read the files of a corpus."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from asr import files
from asr.corpora.entry import Dropped, Reason
from asr.errors import CorpusError

#: Lossless formats come first: where a recording exists in two formats, the better one is used.
SUFFIXES = (".flac", ".wav", ".sph", ".ogg", ".opus", ".mp3")


def find_recording(path: Path) -> Path | None:
    """Return ``path``, or the file beside it that differs in its audio suffix only (or adds one)."""
    if os.path.isfile(path):
        return path
    stem = path.name[: -len(path.suffix)] if is_recording(path) else path.name
    for suffix in SUFFIXES:
        for name in (stem + suffix, stem + suffix.upper()):
            if os.path.isfile(path.parent / name):
                return path.parent / name
    return None


def is_recording(path: Path) -> bool:
    """Return whether the file name has an audio suffix."""
    return path.suffix.lower() in SUFFIXES


def files_below(folder: Path) -> Iterator[Path]:
    """Yield every file below ``folder`` as `asr.files.files_below` does.

    Raises:
        CorpusError: a folder cannot be listed.
    """

    def refuse(fault: OSError) -> None:
        raise CorpusError(f"{fault.filename}: cannot be listed: {fault.strerror}") from fault

    yield from files.files_below(folder, refuse)


def without_transcript(manifest: str, folder: Path, transcribed: Collection[str]) -> Iterator[Dropped]:
    """Yield a drop for each recording below ``folder`` whose stem is not among the ``transcribed`` ids."""
    for path in files_below(folder):
        if is_recording(path) and path.stem not in transcribed:
            yield Dropped(manifest, path.stem, Reason.NO_TRANSCRIPT)


def read_lines(path: Path) -> list[str]:
    """Read the lines of a corpus's list that are not blank, without their ends and a byte-order mark.

    Raises:
        CorpusError: the file cannot be read, or is not UTF-8.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise CorpusError(f"{path}: cannot be read as UTF-8 text: {fault}") from fault
    # Not splitlines(): transcripts may hold U+2028 or U+0085, which end no line of a corpus.
    return [line for line in text.split("\n") if line.strip()]


def lists_at(path: Path, suffixes: Sequence[str]) -> list[Path]:
    """Return ``path`` itself when it is a file, else the files directly in it with one of ``suffixes``, sorted."""
    if path.is_file():
        return [path]
    return sorted(p for p in path.iterdir() if p.is_file() and p.suffix.lower() in suffixes)


def not_the_corpus(folder: Path, corpus: str, wanted: str, pattern: str) -> CorpusError:
    """Make the error that ``folder`` is not ``corpus``, with what was looked for and where below it that exists."""
    near = sorted(p for glob in (f"*/{pattern}", f"*/*/{pattern}") for p in folder.glob(glob))
    depth = len(Path(pattern).parts)
    found = f"; there is one in {near[0].parents[depth - 1]}: name that folder" if near else ""
    advice = "" if near else f"; name the folder that holds it (asr prepare {corpus} DIR)"
    return CorpusError(f"{folder} is not laid out as {corpus}: looked for {wanted}{found}{advice}")
