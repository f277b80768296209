"""Open a recording of any kind, or say why it cannot be opened."""

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
"""What is looked for in a folder; a file named on its own may be of any kind that libsndfile reads."""

RATES_HZ = (4_000, 384_000)
"""Lowest and highest sample rate taken for speech."""

UNKNOWN_FRAMES = 1 << 62
"""libsndfile's frame count is above this when the header does not tell."""


class Forward(soundfile.SoundFile):  # type: ignore[misc]
    """Reads on from where it stands; soundfile seeks after each read, which an endless FLAC refuses.

    ``promises_length``: ``frames`` is what the header says, not libsndfile's guess or "unknown".
    """

    def __init__(self, file: BinaryIO, promises_length: bool) -> None:
        super().__init__(file)
        self.promises_length = promises_length

    def seekable(self) -> bool:
        """Claim what keeps soundfile from seeking; ``seek`` itself works all the same."""
        return False


def name_of(source: str | Path | BinaryIO) -> str:
    """What messages call ``source``."""
    if isinstance(source, str | Path):
        return str(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "<stream>"


@contextmanager
def open_recording(source: str | Path | BinaryIO) -> Iterator[Forward]:
    """Open a path or a binary file object, its header checked; closes what it opened.

    Raises:
        AudioError: the subclass that says what is wrong.
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
        raise AudioPermissionError(f"{path}: may not be read; change its permissions or run as its owner") from fault
    except (OSError, ValueError) as fault:
        raise AudioError(f"{path}: cannot be opened: {getattr(fault, 'strerror', fault)}") from fault


def _seekable(file: BinaryIO) -> BinaryIO:
    """``file`` itself, or its bytes in memory where it cannot seek (a pipe)."""
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
            f"{name}: not a recording that can be decoded here ({reason}); convert it to WAV or FLAC"
        ) from fault
    with recording:
        check_rate(recording.samplerate, name)
        if recording.frames == 0:
            raise AudioEmptyError(f"{name}: the file has a header but no samples")
        yield recording


def _with_data_size(file: BinaryIO) -> BinaryIO:
    """A copy in memory of a WAV with the unknown size, 0, replaced by the one libsndfile reads to the end."""
    start, _ = find_data_chunk(file) or (0, 0)
    file.seek(0)
    whole = bytearray(file.read())
    whole[start - 4 : start] = b"\xff\xff\xff\xff"
    return io.BytesIO(whole)


def _wav_rate(file: BinaryIO) -> int | None:
    """The rate in the fmt chunk where that stands first, as it nearly always does."""
    file.seek(0)
    head = file.read(28)
    return int.from_bytes(head[24:28], "little") if head[8:16] == b"WAVEfmt " else None


def check_rate(rate: int | None, name: str) -> None:
    """Refuse a rate that speech cannot have; None is unknown and passes.

    Raises:
        SampleRateError: outside 4 kHz to 384 kHz.
    """
    if rate is not None and not RATES_HZ[0] <= rate <= RATES_HZ[1]:
        raise SampleRateError(f"{name}: {rate} Hz; speech has {RATES_HZ[0]} to {RATES_HZ[1]} Hz")
