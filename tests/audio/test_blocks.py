"""stream_audio: load_audio in blocks. stream_pipe: the same of a pipe, before it ends."""

from __future__ import annotations

import io
import os
import runpy
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.audio import PcmFormat, Resampler, load_audio, resample, stream_audio, stream_pipe
from asr.errors import (
    AudioEmptyError,
    AudioFormatError,
    AudioNotFiniteError,
    AudioTooShortError,
    AudioTruncatedError,
    SampleRateError,
)

pipe = runpy.run_path(str(Path(__file__).with_name("made.py")))["pipe"]


def noise(seconds: float, rate: int = 16_000) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, round(seconds * rate)).astype(np.float32)


def encoded(samples: np.ndarray, rate: int = 16_000, kind: str = "WAV", subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind, subtype=subtype)
    return file.getvalue()


# Files


@pytest.mark.parametrize("rate", [8_000, 11_025, 16_000, 44_100])
@pytest.mark.parametrize("kind", ["WAV", "FLAC", "OGG", "MP3"])
def test_blocks_together_are_the_recording(rate: int, kind: str) -> None:
    file = encoded(np.stack([noise(3.3, rate), -0.3 * noise(3.3, rate)], 1), rate, kind)
    blocks = list(stream_audio(io.BytesIO(file), block_s=0.7))
    assert len(blocks) >= 4 and all(len(b) <= 0.75 * 16_000 for b in blocks)
    np.testing.assert_allclose(np.concatenate(blocks), load_audio(io.BytesIO(file)), atol=1e-6)


def test_a_range() -> None:
    file = encoded(noise(4), kind="FLAC")
    span = {"offset_s": 0.5, "duration_s": 2.25}
    blocks = list(stream_audio(io.BytesIO(file), **span))
    np.testing.assert_array_equal(np.concatenate(blocks), load_audio(io.BytesIO(file), **span))


def test_a_damaged_flac_is_an_error_after_what_was_good() -> None:
    file = bytearray(encoded(noise(20), kind="FLAC"))
    file[len(file) // 2] ^= 1
    got = []
    with pytest.raises(AudioTruncatedError, match=r"cannot be decoded after \d+\.\d s of 20\.0 s"):
        for block in stream_audio(io.BytesIO(file)):
            got.append(block)
    assert 9.7 <= sum(map(len, got)) / 16_000 <= 10
    np.testing.assert_allclose(np.concatenate(got), noise(20)[: sum(map(len, got))], atol=1e-4)


def test_a_cut_flac_is_known_by_its_last_frame_before_anything_is_decoded() -> None:
    file = encoded(noise(20), kind="FLAC")
    with pytest.raises(AudioTruncatedError, match=r"\d+\.\d\d of 20\.00 s can be read \(its last frames are missing"):
        next(stream_audio(io.BytesIO(file[: len(file) // 2])))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", AudioEmptyError),
        (b"Call me Ishmael. " * 50, AudioFormatError),
        (encoded(noise(1))[:-1], AudioTruncatedError),
        (encoded(noise(0.01)), AudioTooShortError),
        (encoded(np.full(16_000, np.nan), subtype="FLOAT"), AudioNotFiniteError),
        (encoded(noise(1))[:24] + struct.pack("<I", 1_000_000) + encoded(noise(1))[28:], SampleRateError),
    ],
    ids=["empty", "text", "cut", "short", "nan", "rate"],
)
@pytest.mark.parametrize("of", [lambda d: stream_audio(io.BytesIO(d)), lambda d: stream_pipe(pipe(d))])
def test_what_is_wrong_with_a_file_is_wrong_with_its_stream(data: bytes, error: type, of) -> None:
    with pytest.raises(error):
        list(of(data))
    with pytest.raises(error):
        load_audio(io.BytesIO(data))


def test_memory_does_not_grow_with_the_recording(tmp_path) -> None:
    def peak(seconds: int) -> int:
        path = tmp_path / f"{seconds}.flac"
        soundfile.write(path, noise(seconds, 8_000), 8_000)
        tracemalloc.start()
        try:
            assert sum(len(b) for b in stream_audio(path)) == seconds * 16_000
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(100) < 1.1 * peak(10) + 10_000


@pytest.mark.parametrize(("rate", "step"), [(8_000, 1), (8_000, 160), (44_100, 441), (48_000, 100_000), (16_000, 7)])
def test_resampling_in_packets_is_resampling(rate: int, step: int) -> None:
    samples = noise(0.3, rate)
    parts = Resampler(rate, 16_000).over(samples[i : i + step] for i in range(0, len(samples), step))
    np.testing.assert_array_equal(np.concatenate(list(parts)), resample(samples, rate, 16_000))


# Pipes


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("kind", ["WAV", "WAVEX"])
@pytest.mark.parametrize("step", [1, 1001, 1 << 20])
def test_a_piped_wav_is_the_file(subtype: str, kind: str, step: int) -> None:
    stereo = np.stack([noise(0.2, 8_000), noise(0.2, 8_000)[::-1]], 1)
    file = encoded(stereo, 8_000, kind, subtype)
    got = np.concatenate(list(stream_pipe(pipe(file, step))))
    np.testing.assert_allclose(got, load_audio(io.BytesIO(file)), atol=1e-6)


@pytest.mark.parametrize("unknown", [0, 0x7FFFF000, 0xFFFFFFFF])
def test_a_size_nobody_knew_is_to_the_end(unknown: int) -> None:
    file = bytearray(encoded(noise(1)))
    at = file.index(b"data") + 4
    file[at : at + 4] = struct.pack("<I", unknown)
    assert sum(map(len, stream_pipe(pipe(bytes(file))))) == 16_000


def test_other_chunks_are_skipped_before_the_samples_and_not_read_after_them() -> None:
    file = bytearray(encoded(noise(1)))
    at = file.index(b"data")
    file[at:at] = b"LIST\3\0\0\0abc\0"
    assert sum(map(len, stream_pipe(pipe(bytes(file) + b"LIST\4\0\0\0abcd")))) == 16_000


def test_any_other_kind_is_read_whole() -> None:
    file = encoded(noise(1), kind="FLAC")
    np.testing.assert_array_equal(np.concatenate(list(stream_pipe(pipe(file)))), load_audio(io.BytesIO(file)))
    law = encoded(noise(1), subtype="ULAW")
    np.testing.assert_array_equal(np.concatenate(list(stream_pipe(pipe(law)))), load_audio(io.BytesIO(law)))


def test_raw_samples_have_the_rate_that_is_said() -> None:
    integers = (noise(0.5, 8_000) * 32767).astype("<i2")
    got = np.concatenate(list(stream_pipe(pipe(integers.tobytes(), 33), raw=PcmFormat(8_000))))
    np.testing.assert_allclose(got, resample(integers.astype(np.float32) / 32768, 8_000, 16_000), atol=1e-6)
    with pytest.raises(AudioEmptyError, match="the stream has no samples"):
        list(stream_pipe(pipe(b""), raw=PcmFormat(8_000)))
    with pytest.raises(SampleRateError, match="16 Hz"):
        list(stream_pipe(pipe(integers.tobytes()), raw=PcmFormat(16)))


def test_samples_come_before_the_pipe_ends() -> None:
    ours, theirs = os.pipe()
    with os.fdopen(ours, "rb") as reader, os.fdopen(theirs, "wb", buffering=0) as writer:
        blocks = stream_pipe(reader)
        file = encoded(noise(1))
        writer.write(file[: 44 + 2 * 320])
        np.testing.assert_allclose(next(blocks), noise(1)[:320], atol=1e-4)
        writer.write(file[44 + 2 * 320 : 44 + 2 * 480])
        np.testing.assert_allclose(next(blocks), noise(1)[320:480], atol=1e-4)
        blocks.close()
