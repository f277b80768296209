"""Small inputs that ask for much memory or time are refused, or cost what their bytes cost."""

from __future__ import annotations

import io
import itertools
import runpy
import struct
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from asr.audio import load_audio, source, stream_audio, stream_pipe
from asr.errors import AudioError, AudioFormatError, AudioTruncatedError, SampleRateError

made = runpy.run_path(str(Path(__file__).with_name("made.py")))
encoded, ogg_checksum, pages, pipe, syllables = (
    made[name] for name in "encoded ogg_checksum pages pipe syllables".split()
)


class Endless(io.RawIOBase):
    """A pipe that gives the same bytes for ever, and counts them."""

    def __init__(self, begin: bytes, then: bytes) -> None:
        self.begin, self.then, self.given = begin, then, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        part = self.begin[self.given : self.given + len(buffer)] or (self.then * (len(buffer) // len(self.then) + 1))
        part = part[: len(buffer)]
        buffer[: len(part)] = part
        self.given += len(part)
        return len(part)


def riff(body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def fmt(channels: int = 1, rate: int = 16_000) -> bytes:
    return b"fmt \x10\0\0\0" + struct.pack("<HHIIHH", 1, channels, rate, rate * 2 * channels, 2 * channels & 0xFFFF, 16)


def cost(read: Callable[[], object]) -> tuple[float, int]:
    """Seconds of this process and bytes of Python's memory that reading takes."""
    tracemalloc.start()
    began = time.process_time()
    try:
        read()
    except AudioError:
        pass
    finally:
        seconds, peak = time.process_time() - began, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return seconds, peak


HUNGRY: dict[str, tuple[bytes, type[AudioError]]] = {
    "tiny chunks": (riff(b"junk\0\0\0\0" * 1_000_000), AudioFormatError),
    "zeros after RIFF WAVE": (riff(bytes(10_000_000)), AudioFormatError),
    "65,535 channels": (riff(fmt(65_535) + b"data\0\0\0\0" + bytes(100_000)), AudioFormatError),
    "a huge chunk": (riff(b"junk\xf0\xff\xff\x7f" + bytes(100_000)), AudioFormatError),
    "an absurd rate": (riff(fmt(1, 2_000_000_000) + b"data\0\0\0\0" + bytes(100_000)), SampleRateError),
}


@pytest.mark.parametrize("name", HUNGRY)
def test_a_hungry_pipe_ends_at_once_with_an_error(name: str) -> None:
    data, error = HUNGRY[name]
    with pytest.raises(error):
        list(stream_pipe(pipe(data, 65_536)))
    seconds, peak = cost(lambda: list(stream_pipe(pipe(data, 65_536))))
    assert peak < 2_000_000 and seconds < 1


@pytest.mark.parametrize("name", HUNGRY)
def test_a_hungry_file_ends_at_once_with_an_error(name: str) -> None:
    data, _ = HUNGRY[name]
    file = io.BytesIO(data)
    with pytest.raises(AudioError):
        load_audio(file)
    seconds, peak = cost(lambda: load_audio(file))
    assert peak < 4_000_000 and seconds < 1


@pytest.mark.parametrize("endless", [b"y\n", b"\0", b"Call me Ishmael. "], ids=["yes", "zeros", "text"])
def test_an_endless_pipe_that_is_no_audio_ends_at_once(endless: bytes) -> None:
    for read in (load_audio, lambda file: list(stream_pipe(file))):
        file = Endless(b"", endless)
        with pytest.raises(AudioFormatError, match="cannot be decoded as a recording"):
            read(io.BufferedReader(file))
        assert file.given < 200_000


def test_an_endless_pipe_that_begins_as_audio_ends_at_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_PIPED", 3 << 20)
    file = Endless(encoded(syllables(1), "FLAC"), b"y\n")
    with pytest.raises(AudioFormatError, match="came, without an end; save it first"):
        list(stream_pipe(io.BufferedReader(file)))
    assert file.given < 6 << 20


def test_an_endless_header_of_tags_ends_at_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_PIPED", 3 << 20)
    file = Endless(b"ID3\4\0\0\x7f\x7f\x7f\x7f", b"\0")
    with pytest.raises(AudioFormatError):
        list(stream_pipe(io.BufferedReader(file)))
    assert file.given < 6 << 20


def test_a_large_wav_of_unknown_size_is_streamed_in_constant_memory(tmp_path) -> None:
    path = tmp_path / "unsized.wav"
    second = (syllables(1) * 32_767).astype("<i2").tobytes()
    with open(path, "wb") as file:
        file.write(riff(fmt() + b"data\0\0\0\0"))
        for _ in range(1200):
            file.write(second)

    def read() -> None:
        assert sum(map(len, stream_audio(path))) == 1200 * 16_000

    assert cost(read)[1] < 3_000_000  # of 38 MB


def ogg_in_ogg(count: int) -> Iterator[bytes]:
    """Beginnings of pages that each claim 65 kB of what follows: summing all of them would be quadratic."""
    head = b"OggS\0\2" + bytes(20) + b"\xff" + b"\xff" * 255
    return itertools.repeat(head, count)


@pytest.mark.parametrize(
    "data",
    [
        b"".join(ogg_in_ogg(2_000)),
        encoded(syllables(1), "OGG VORBIS") + b"".join(ogg_in_ogg(2_000)),
        b"\xff\xfb\x90\x64" * 100_000,
        encoded(syllables(1), "MP3") + b"\xff\xfb\x90\x64\0" * 100_000,
        encoded(syllables(1), "FLAC") + b"\xff\xf8\xc5\x08" * 30_000,
        riff(fmt() + b"data\4\0\0\0abcd" + b"junk\0\0\0\0" * 500_000),
    ],
    ids=["ogg", "ogg after audio", "mpeg", "mpeg after audio", "flac after audio", "chunks after audio"],
)
@pytest.mark.filterwarnings("ignore::asr.errors.AudioWarning")
def test_containers_are_walked_in_linear_time(data: bytes) -> None:
    for salvage in (False, True):
        began = time.process_time()
        with suppress(AudioError):
            load_audio(io.BytesIO(data), salvage=salvage)
        assert time.process_time() - began < 5


def test_a_page_that_claims_years_brings_no_years_of_silence() -> None:
    whole = encoded(syllables(4), "OGG VORBIS")
    start, stop = pages(whole)[-1]
    page = bytearray(whole[start:stop])
    page[6:14] = struct.pack("<q", 1 << 60)
    page[18:22] = struct.pack("<I", 1 << 20)
    page[22:26] = bytes(4)
    page[22:26] = struct.pack("<I", ogg_checksum(bytes(page)))
    data = whole[:start] + bytes(page)
    with pytest.raises(AudioTruncatedError):
        load_audio(io.BytesIO(data))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        blocks = stream_audio(io.BytesIO(data), salvage=True)
        assert sum(map(len, blocks)) <= 3700 * 16_000


# Pipes that are cut or go on


def test_a_piped_wav_that_is_cut_says_so_by_seconds() -> None:
    data = encoded(syllables(10), "WAV")[: 44 + 6 * 32_000]
    with pytest.raises(AudioTruncatedError, match=r"6\.00 of 10\.00 s came, then the stream ended"):
        list(stream_pipe(pipe(data)))
    with pytest.warns(UserWarning, match=r"4\.00 of 10\.00 s are missing: the stream ended before them"):
        assert sum(map(len, stream_pipe(pipe(data), salvage=True))) == 6 * 16_000


def test_a_piped_wav_that_goes_on_after_its_end_says_so() -> None:
    data = encoded(syllables(2), "WAV")
    with pytest.warns(UserWarning, match=r"1\.00 s after the end that its header says were not read"):
        assert sum(map(len, stream_pipe(pipe(data + b"\1\2" * 16_000)))) == 2 * 16_000


def test_a_piped_inverted_channel_is_not_lost() -> None:
    said = syllables(2)
    data = encoded(np.stack([said, -said], axis=1), "WAV FLOAT")
    with pytest.warns(UserWarning, match="cancel each other for 2.00 s"):
        np.testing.assert_array_equal(np.concatenate(list(stream_pipe(pipe(data)))), said)
