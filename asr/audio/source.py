"""Opening of recordings in any format that libsndfile reads."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import soundfile

from asr.audio.length import check_length, find_data_chunk, is_unsized_wav, promises_length
from asr.errors import (
    AudioEmptyError,
    AudioError,
    AudioFormatError,
    AudioIsFolderError,
    AudioNotFoundError,
    AudioPermissionError,
    SampleRateError,
)

AUDIO_SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".opus", ".mp3", ".sph"})
"""Suffixes of recordings in a folder; a single file may have any format that libsndfile reads."""

RATES_HZ = (4_000, 384_000)
"""Lowest and highest sample rate accepted for speech."""

UNKNOWN_FRAMES = 1 << 62
"""libsndfile's frame count is above this if the header does not state the length."""


class Forward(soundfile.SoundFile):  # type: ignore[misc]
    """A recording that is read forwards only: soundfile seeks after each read, which fails in a FLAC of unknown length.

    ``promises_length`` tells that ``frames`` comes from the header and is not libsndfile's estimate or "unknown".
    """

    def __init__(self, file: BinaryIO, promises_length: bool) -> None:
        super().__init__(file)
        self.promises_length = promises_length

    def seekable(self) -> bool:
        """Return False, so that soundfile does not seek by itself; ``seek`` still works."""
        return False


def name_of(source: str | Path | BinaryIO) -> str:
    """Return the name of ``source`` for messages."""
    if isinstance(source, str | Path):
        return str(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "<stream>"


@contextmanager
def open_recording(source: str | Path | BinaryIO) -> Iterator[Forward]:
    """Open a path or a binary file object and check its header; a file opened here is closed at the end.

    Raises:
        AudioError: the subclass for what is wrong.
    """
    if not isinstance(source, str | Path):
        with _decoder(_seekable(source), name_of(source)) as recording:
            yield recording
        return
    with _file(source) as file, _decoder(_seekable(file), name_of(source)) as recording:
        yield recording


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


def _seekable(file: BinaryIO) -> BinaryIO:
    """Return ``file`` itself, or its bytes in memory if it cannot seek (a pipe)."""
    return file if file.seekable() else io.BytesIO(file.read())


@contextmanager
def _decoder(file: BinaryIO, name: str) -> Iterator[Forward]:
    if file.seek(0, os.SEEK_END) == 0:
        raise AudioEmptyError(f"{name}: the file is empty (0 bytes)")
    check_length(file, name)
    file = _with_data_size(file) if is_unsized_wav(file) else file
    # A file object, never a path: by path libsndfile guesses raw formats from the suffix.
    # TypeError: soundfile itself does so for `.raw`, by the object's name.
    promises = promises_length(file)
    try:
        recording = Forward(file, promises)
    except (soundfile.LibsndfileError, TypeError) as fault:
        check_rate(_wav_rate(file), name)
        reason = getattr(fault, "error_string", str(fault)).rstrip(".")
        raise AudioFormatError(
            f"{name}: cannot be decoded as a recording ({reason}); convert it to WAV or FLAC"
        ) from fault
    with recording:
        check_rate(recording.samplerate, name)
        if recording.frames == 0:
            raise AudioEmptyError(f"{name}: the file has a header but no samples")
        yield recording


def _with_data_size(file: BinaryIO) -> BinaryIO:
    """Copy a WAV of unknown size into memory, and replace its size 0 by the one that libsndfile reads to the end."""
    start, _ = find_data_chunk(file) or (0, 0)
    file.seek(0)
    whole = bytearray(file.read())
    whole[start - 4 : start] = b"\xff\xff\xff\xff"
    return io.BytesIO(whole)


def _wav_rate(file: BinaryIO) -> int | None:
    """Return the sample rate of a WAV whose fmt chunk comes first, as it nearly always does."""
    file.seek(0)
    head = file.read(28)
    return int.from_bytes(head[24:28], "little") if head[8:16] == b"WAVEfmt " else None


def check_rate(rate: int | None, name: str) -> None:
    """Refuse a sample rate that speech cannot have; an unknown rate, None, passes.

    Raises:
        SampleRateError: the rate is outside 4 kHz to 384 kHz.
    """
    if rate is not None and not RATES_HZ[0] <= rate <= RATES_HZ[1]:
        raise SampleRateError(f"{name}: sample rate {rate} Hz; {RATES_HZ[0]} to {RATES_HZ[1]} Hz are needed")
