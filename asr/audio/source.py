"""Opening of recordings in any format that libsndfile reads: files, file objects, pipes."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import soundfile

from asr.audio.containers import Contents, read_contents
from asr.audio.containers.tags import after_id3
from asr.audio.containers.window import Window
from asr.audio.recording import Recording
from asr.errors import (
    AudioEmptyError,
    AudioError,
    AudioFormatError,
    AudioIsFolderError,
    AudioNotFoundError,
    AudioPermissionError,
)

AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".opus", ".mp3", ".sph"})
"""Suffixes of recordings in a folder; a single file may have any format that libsndfile reads."""

MAX_PIPED = 2 << 30
"""Bytes that a pipe of anything but WAV may have; it is read to its end before it is decoded."""

_IN_MEMORY, _HEAD, _AT_ONCE = 1 << 26, 1 << 16, 1 << 20
"""Bytes of a pipe that are kept in memory; those by which its format is known; those that are read at once."""

_UNRECOGNISED = 1
"""libsndfile's code for a format that it does not know."""

_kept: dict[tuple[object, ...], Contents] = {}
_KEPT = 32
"""Files of which is remembered what their containers say."""


def name_of(source: str | Path | BinaryIO) -> str:
    """Return the name of ``source`` for messages."""
    if isinstance(source, str | Path):
        return str(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "<stream>"


@contextmanager
def open_recording(source: str | Path | BinaryIO, salvage: bool = False, taken: bytes = b"") -> Iterator[Recording]:
    """Open a path or a binary file object, and read what its container says; a file opened here is closed at the end.

    Args:
        source: a file object that cannot seek, such as a pipe, is first read to its end.
        salvage: keep what is good of a recording that is cut or damaged.
        taken: bytes that were already read from the file object.

    Raises:
        AudioError: the subclass for what is wrong.
    """
    name = name_of(source)
    with ExitStack() as stack:
        file = stack.enter_context(_file(source)) if isinstance(source, str | Path) else source
        if not file.seekable() or (taken and file.tell() != len(taken)):
            file = stack.enter_context(_spooled(file, name, taken))
        if file.seek(0, os.SEEK_END) == 0:
            raise AudioEmptyError(f"{name}: the file is empty (0 bytes)")
        yield stack.enter_context(closing(Recording(file, name, _contents(file, salvage), salvage)))


def _contents(file: BinaryIO, thorough: bool) -> Contents:
    """Read what the container says, once for all spans of a file that are read one after another."""
    if not (isinstance(file, io.BufferedReader) and isinstance(file.raw, io.FileIO)):
        return read_contents(file, thorough)
    state = os.fstat(file.fileno())
    key = (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, thorough)
    found = _kept.get(key)
    if found is None:
        while len(_kept) >= _KEPT:
            _kept.pop(next(iter(_kept), key), None)
        found = _kept[key] = read_contents(file, thorough)
    return found


def _file(path: str | Path) -> BinaryIO:
    try:
        return open(path, "rb")
    except IsADirectoryError as fault:
        raise AudioIsFolderError(f"{path}: a recording is needed, this is a folder") from fault
    except (FileNotFoundError, NotADirectoryError) as fault:
        raise AudioNotFoundError(f"{path}: no such file") from fault
    except PermissionError as fault:
        raise AudioPermissionError(f"{path}: no read permission; change its permissions or run as its owner") from fault
    except (OSError, ValueError) as fault:
        raise AudioError(f"{path}: cannot be opened: {getattr(fault, 'strerror', fault)}") from fault


# Pipes


def _spooled(file: BinaryIO, name: str, taken: bytes = b"") -> BinaryIO:
    """Return all bytes of a stream that cannot seek, in memory or, where they are many, in a temporary file.

    Args:
        file: the stream.
        name: for messages.
        taken: bytes that were already read from it.

    Raises:
        AudioFormatError: the first bytes are nothing that libsndfile knows, or the stream does not end.
    """
    with ExitStack() as stack:
        spool = stack.enter_context(cast(BinaryIO, tempfile.SpooledTemporaryFile(_IN_MEMORY)))
        spool.write(taken)
        _refuse_unknown(spool, file, name)
        size = spool.seek(0, os.SEEK_END)
        while data := file.read(_AT_ONCE):
            size += len(data)
            if size > MAX_PIPED:
                raise AudioFormatError(f"{name}: more than {MAX_PIPED >> 30} GiB came, without an end; save it first")
            spool.write(data)
        stack.pop_all()
        return spool


def _refuse_unknown(spool: BinaryIO, file: BinaryIO, name: str) -> None:
    """Read the first bytes of a stream into ``spool``, and refuse them if libsndfile knows no such format."""
    needed = _HEAD
    while (size := spool.seek(0, os.SEEK_END)) < needed and (data := file.read(min(needed - size, _AT_ONCE))):
        spool.write(data)
        needed = min(_HEAD + after_id3(Window(spool, size + len(data)), 0), MAX_PIPED)
    if size == 0:
        return
    spool.seek(0)
    try:
        soundfile.SoundFile(spool).close()
    except soundfile.LibsndfileError as fault:
        if fault.code == _UNRECOGNISED:
            raise AudioFormatError(
                f"{name}: cannot be decoded as a recording (Format not recognised); convert it to WAV or FLAC"
            ) from fault
