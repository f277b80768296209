"""load_audio: any recording in, the same samples out, and a typed word on each thing that can be wrong."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.audio import AUDIO_SUFFIXES, AudioInfo, audio_info, load_audio
from asr.errors import (
    AudioEmptyError,
    AudioFormatError,
    AudioIsFolderError,
    AudioNotFiniteError,
    AudioNotFoundError,
    AudioPermissionError,
    AudioTooShortError,
    AudioTruncatedError,
    SampleRateError,
)


def tone(seconds: float = 1.0, rate: int = 16_000, hz: float = 440.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def encoded(samples: np.ndarray, rate: int = 16_000, kind: str = "WAV", subtype: str | None = None) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, rate, format=kind, subtype=subtype)
    return file.getvalue()


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.dot(a, b) / np.sqrt(np.dot(a, a) * np.dot(b, b)))


# What comes out


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "FLOAT"), ("WAVEX", "PCM_16"), ("RF64", "PCM_16")]
    + [("FLAC", "PCM_16"), ("NIST", "PCM_16"), ("W64", "PCM_16"), ("AIFF", "PCM_16")],
)
def test_lossless_formats_give_the_samples_back(kind: str, subtype: str, tmp_path: Path) -> None:
    path = tmp_path / "tone"
    path.write_bytes(encoded(tone(), kind=kind, subtype=subtype))
    samples = load_audio(path)
    assert samples.dtype == np.float32 and samples.flags.c_contiguous
    np.testing.assert_allclose(samples, tone(), atol=1.01 / 32768)


@pytest.mark.parametrize(("kind", "subtype"), [("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None)])
def test_lossy_formats_give_nearly_the_samples_back(kind: str, subtype: str | None) -> None:
    samples = load_audio(io.BytesIO(encoded(tone(), kind=kind, subtype=subtype)))
    assert samples.shape == (16_000,)
    assert correlation(samples, tone()) > 0.99


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000])
def test_any_rate_becomes_the_rate_asked_for(rate: int) -> None:
    samples = load_audio(io.BytesIO(encoded(tone(rate=rate), rate)))
    assert samples.shape == (16_000,)
    np.testing.assert_allclose(samples[500:-500], tone()[500:-500], atol=2e-3)


def test_channels_are_averaged() -> None:
    left, right, third = tone(hz=300), tone(hz=500), tone(hz=700)
    both = np.stack([left, right, third], axis=1)
    samples = load_audio(io.BytesIO(encoded(both, subtype="FLOAT")))
    np.testing.assert_allclose(samples, (left + right + third) / 3, atol=1e-6)


def test_a_path_a_string_an_open_file_and_bytes_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "tone.flac"
    path.write_bytes(encoded(tone(), kind="FLAC"))
    with open(path, "rb") as file:
        from_file = load_audio(file)
    for other in (load_audio(path), load_audio(str(path)), load_audio(io.BytesIO(path.read_bytes()))):
        np.testing.assert_array_equal(from_file, other)


def test_a_pipe_is_read_whole() -> None:
    code = "import sys; from asr.audio import load_audio; print(len(load_audio(sys.stdin.buffer)))"
    done = subprocess.run([sys.executable, "-c", code], input=encoded(tone()), capture_output=True, check=True)
    assert done.stdout.split() == [b"16000"]


@pytest.mark.parametrize("kind", ["WAV", "FLAC", "NIST"])
def test_a_range_is_exact(kind: str) -> None:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, 600_000).astype(np.float32)
    file = encoded(noise, kind=kind)
    part = load_audio(io.BytesIO(file), offset_s=1.5, duration_s=30.25)
    whole = load_audio(io.BytesIO(file))
    np.testing.assert_array_equal(part, whole[24_000 : 24_000 + 484_000])
    np.testing.assert_array_equal(load_audio(io.BytesIO(file), offset_s=37.0), whole[592_000:])


def test_a_duration_rounded_up_in_a_manifest_is_cut_to_the_file() -> None:
    assert load_audio(io.BytesIO(encoded(tone())), offset_s=0.5, duration_s=0.5001).shape == (8_000,)


def test_a_wav_written_to_a_pipe_is_read_to_its_end() -> None:
    """ffmpeg leaves 0xFFFFFFFF, sox 0x7FFFF000 and others 0 where they could not seek back."""
    file = encoded(tone())
    at = file.index(b"data") + 4
    for riff, data in [(0xFFFFFFFF, 0xFFFFFFFF), (0x7FFFF024, 0x7FFFF000), (0, 0), (36, 0), (0xFFFFFFFF, 0)]:
        piped = bytearray(file)
        piped[4:8], piped[at : at + 4] = struct.pack("<I", riff), struct.pack("<I", data)
        assert load_audio(io.BytesIO(piped)).shape == (16_000,), (riff, data)


def test_a_flac_of_unknown_length_is_read_to_its_end() -> None:
    file = bytearray(encoded(tone(20), kind="FLAC"))
    rate_to_total = int.from_bytes(file[18:26], "big") >> 36 << 36
    file[18:26] = rate_to_total.to_bytes(8, "big")
    assert load_audio(io.BytesIO(file)).shape == (320_000,)
    assert audio_info(io.BytesIO(file)).frames == 320_000


# What can be wrong


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(AudioNotFoundError, match=r"nothing\.wav: no such file"):
        load_audio(tmp_path / "nothing.wav")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(AudioIsFolderError, match="is a folder"):
        load_audio(tmp_path)


def test_no_permission(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    path.write_bytes(encoded(tone()))
    for folder in [tmp_path, *tmp_path.parents][:3]:
        os.chmod(folder, 0o755)
    path.chmod(0)
    with as_ordinary_user(), pytest.raises(AudioPermissionError, match="no read permission"):
        load_audio(path)


class as_ordinary_user:  # noqa: N801 - read as a phrase
    """Permissions do not bind root: be nobody for the length of a block."""

    def __enter__(self) -> None:
        self.user = os.geteuid()
        if self.user == 0:
            os.seteuid(65534)

    def __exit__(self, *_: object) -> None:
        os.seteuid(self.user)


def test_zero_bytes() -> None:
    with pytest.raises(AudioEmptyError, match="0 bytes"):
        load_audio(io.BytesIO())


@pytest.mark.parametrize("kind", ["WAV", "NIST", "RF64"])
def test_a_header_without_samples(kind: str) -> None:
    with pytest.raises(AudioEmptyError, match="no samples"):
        load_audio(io.BytesIO(encoded(np.empty(0, np.float32), kind=kind)))


@pytest.mark.parametrize("suffix", sorted(AUDIO_SUFFIXES) + [".au", ".raw", ".txt"])
def test_a_text_file_named_as_audio(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"notes{suffix}"
    path.write_text("Call me Ishmael. " * 100)
    with pytest.raises(
        AudioFormatError, match="cannot be decoded as a recording .* convert it to WAV or FLAC"
    ) as caught:
        load_audio(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.5, 0.5, round(seconds * 16_000)).astype(np.float32)


@pytest.mark.parametrize("keep", [0.3, 0.7, 0.99])
@pytest.mark.parametrize(
    ("kind", "subtype"),
    [
        ("WAV", "PCM_16"),
        ("WAV", "FLOAT"),
        ("RF64", "PCM_16"),
        ("FLAC", None),
        ("NIST", None),
        ("OGG", "VORBIS"),
    ]
    + [("OGG", "OPUS")],
)
def test_a_cut_file(kind: str, subtype: str | None, keep: float) -> None:
    file = encoded(noise(20), kind=kind, subtype=subtype)
    with pytest.raises(AudioTruncatedError):
        load_audio(io.BytesIO(file[: int(keep * len(file))]))


@pytest.mark.parametrize("keep", [0.3, 0.7])
def test_a_cut_mp3(keep: float) -> None:
    file = encoded(noise(20), kind="MP3")
    with pytest.raises(AudioTruncatedError, match=r"cut or damaged: \d+\.\d\d of 20\.\d\d s can be read"):
        load_audio(io.BytesIO(file[: int(keep * len(file))]))


def test_an_mp3_that_does_not_promise_its_length_is_never_called_cut() -> None:
    """Without its Xing frame libsndfile guesses 53 s from the quiet start; 20 s are there."""
    quiet_then_loud = np.concatenate([np.zeros(160_000, np.float32), noise(10)])
    file = io.BytesIO()
    soundfile.write(file, quiet_then_loud, 16_000, format="MP3", bitrate_mode="VARIABLE", compression_level=0.3)
    whole = file.getvalue()
    without_first_frame = whole[whole.find(whole[:2], 4) :]
    assert len(load_audio(io.BytesIO(whole))) == 320_000
    assert abs(len(load_audio(io.BytesIO(without_first_frame))) - 320_000) < 2000


def test_a_wav_is_cut_when_one_byte_of_its_samples_is_missing() -> None:
    file = encoded(tone())
    assert len(load_audio(io.BytesIO(file))) == 16_000
    with pytest.raises(AudioTruncatedError, match=r"1\.00 of 1\.00 s can be read \(1 byte fewer than its header says"):
        load_audio(io.BytesIO(file[:-1]))


@pytest.mark.parametrize("keep", [14, 30, 40])
def test_a_wav_cut_in_its_header(keep: int) -> None:
    with pytest.raises(AudioTruncatedError):
        load_audio(io.BytesIO(encoded(tone())[:keep]))


def test_a_cut_list_after_the_samples_loses_nothing() -> None:
    file = bytearray(encoded(tone())) + b"LIST\xff\0\0\0INFO"
    file[4:8] = struct.pack("<I", len(file) + 200)
    assert len(load_audio(io.BytesIO(file))) == 16_000


def test_a_flac_damaged_in_the_middle() -> None:
    file = bytearray(encoded(noise(20), kind="FLAC"))
    middle = len(file) // 2
    file[middle : middle + 5000] = bytes(5000)
    with pytest.raises(AudioTruncatedError, match=r"cut or damaged, cannot be decoded after \d+\.\d s"):
        load_audio(io.BytesIO(file))


def test_a_range_beyond_the_end() -> None:
    file = encoded(tone())
    with pytest.raises(AudioTruncatedError, match=r"2\.00 s needed from 0\.50 s on, only 0\.50 s are there"):
        load_audio(io.BytesIO(file), offset_s=0.5, duration_s=2.0)
    with pytest.raises(AudioTruncatedError, match="only 0.00 s"):
        load_audio(io.BytesIO(file), offset_s=5.0, duration_s=2.0)
    with pytest.raises(AudioTooShortError):
        load_audio(io.BytesIO(file), offset_s=5.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers(bad: float) -> None:
    samples = tone()
    samples[7:9] = bad
    with pytest.raises(AudioNotFiniteError, match="2 of 16000 samples are NaN or infinite"):
        load_audio(io.BytesIO(encoded(samples, subtype="FLOAT")))


def test_infinities_of_two_channels_are_reported_without_a_warning() -> None:
    both = np.stack([tone(), tone()], axis=1)
    both[5] = np.inf, -np.inf
    with pytest.raises(AudioNotFiniteError, match="1 of 16000"):
        load_audio(io.BytesIO(encoded(both, subtype="FLOAT")))


def test_many_channels_are_decoded_in_small_blocks() -> None:
    file = encoded(np.repeat(tone()[:, None], 256, axis=1))
    tracemalloc.start()
    try:
        load_audio(io.BytesIO(file))
        assert tracemalloc.get_traced_memory()[1] < 5e6  # all channels at once would be 16 MB
    finally:
        tracemalloc.stop()


def test_the_shortest_recording_is_one_analysis_window_of_25_ms() -> None:
    assert len(load_audio(io.BytesIO(encoded(tone(0.025))))) == 400
    with pytest.raises(AudioTooShortError, match="399 samples at 16000 Hz last 25 ms; at least 25 ms"):
        load_audio(io.BytesIO(encoded(tone(399 / 16_000))))
    with pytest.raises(AudioTooShortError, match="last 10 ms"):
        load_audio(io.BytesIO(encoded(tone(0.01))))


@pytest.mark.parametrize("rate", [0, 1, 3_999, 384_001, 2_000_000_000, 0xFFFFFFFF])
def test_an_absurd_rate(rate: int) -> None:
    file = bytearray(encoded(tone()))
    file[24:28] = struct.pack("<I", rate)
    with pytest.raises(SampleRateError, match=f"{rate} Hz; 4000 to 384000 Hz are needed"):
        load_audio(io.BytesIO(file))


@pytest.mark.parametrize("rate", [4_000, 384_000])
def test_the_rates_at_the_edges(rate: int) -> None:
    assert len(load_audio(io.BytesIO(encoded(tone(rate=rate), rate)))) == 16_000


def test_an_absurd_request() -> None:
    file = io.BytesIO(encoded(tone()))
    with pytest.raises(SampleRateError, match="16 Hz; 4000 to"):
        load_audio(file, 16)
    with pytest.raises(ValueError, match="duration_s > 0"):
        load_audio(file, duration_s=0.0)
    with pytest.raises(ValueError, match="offset_s must be >= 0"):
        load_audio(file, offset_s=-1.0)


# audio_info


def test_info_reads_the_header_only() -> None:
    info = audio_info(io.BytesIO(encoded(np.zeros((4410, 2), np.float32), 44_100)))
    assert info == AudioInfo(sample_rate=44_100, channels=2, frames=4410)
    assert info.duration == 0.1


def test_info_finds_what_the_header_shows(tmp_path: Path) -> None:
    with pytest.raises(AudioTruncatedError):
        audio_info(io.BytesIO(encoded(tone())[:-100]))
    with pytest.raises(AudioEmptyError):
        audio_info(io.BytesIO())
    with pytest.raises(AudioNotFoundError):
        audio_info(tmp_path / "nothing.wav")


# Real recordings


@pytest.mark.real_data
def test_an4_as_published_is_its_flac_copy(real_data: Path) -> None:
    """The SPHERE files hold the samples of the FLAC files of `an4`, byte for byte."""
    files = sorted((real_data / "an4-original").rglob("*.sph"))
    assert len(files) == 22
    for sphere in files:
        flac = next((real_data / "an4").rglob(f"{sphere.stem}.flac"))
        np.testing.assert_array_equal(load_audio(sphere), load_audio(flac))


@pytest.mark.real_data
@pytest.mark.parametrize("folder", ["cv-corpus-6.1-2020-12-11", "LibriSpeech-original", "LJSpeech-1.1", "ESC-10"])
def test_real_recordings_of_each_kind_load(real_data: Path, folder: str) -> None:
    files = sorted(f for f in (real_data / folder).rglob("*") if f.suffix in AUDIO_SUFFIXES)
    for path in files[:8]:
        info, samples = audio_info(path), load_audio(path)
        assert abs(len(samples) / 16_000 - info.duration) < 0.05, path
