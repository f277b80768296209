"""Damaged recordings: nothing is lost without a word, and what is good can be kept, in its place."""

from __future__ import annotations

import io
import runpy
import struct
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from asr.audio import audio_info, load_audio
from asr.errors import AsrError, AudioError, AudioFormatError, AudioTruncatedError, AudioWarning

made = runpy.run_path(str(Path(__file__).with_name("made.py")))
cut, encoded, flac, flip, mp3_frames, ogg_checksum, pages, syllables, zero = (
    made[name] for name in "cut encoded flac flip mp3_frames ogg_checksum pages syllables zero".split()
)

SECONDS = 3.0
KINDS = {
    "opus": "OGG OPUS",
    "vorbis": "OGG VORBIS",
    "mp3": "MP3",
    "flac": "FLAC",
    "wav": "WAV",
}


def seconds(data: bytes, **more: object) -> float:
    return len(load_audio(io.BytesIO(data), **more)) / 16_000


def salvaged(data: bytes) -> tuple[np.ndarray, list[str]]:
    """What is good of a recording, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        samples = load_audio(io.BytesIO(data), salvage=True)
    return samples, [str(one.message) for one in caught]


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.dot(a, b) / np.sqrt(np.dot(a, a) * np.dot(b, b)))


# Nothing is lost without a word


@pytest.fixture(scope="module", params=KINDS)
def whole(request: pytest.FixtureRequest) -> bytes:
    return encoded(syllables(SECONDS), KINDS[request.param])


@pytest.mark.parametrize("damage", [cut, flip, zero])
def test_no_damage_loses_anything_without_a_word(whole: bytes, damage: Callable[[bytearray, int], bytes], fuzz) -> None:
    full = seconds(whole)
    silent, outcomes = [], set()
    for number, draw in enumerate(fuzz.draws()):
        at = draw.randrange(len(whole) // 20, len(whole) * 95 // 100)
        damaged = damage(bytearray(whole), at)
        outcome, left = outcome_of(damaged)
        outcomes.add(outcome)
        if outcome == "read" and abs(full - left) > 0.1:
            silent.append((at, left))
        if number % 5 == 0:
            check_salvaged(damaged, outcome, full)
    assert not silent, f"{len(silent)} of {fuzz.count}, each (offset, seconds left): {silent[:5]}"
    assert outcomes <= ({"audio-truncated"} if damage is cut else {"read", "warned", "audio-truncated"})


def outcome_of(damaged: bytes) -> tuple[str, float]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            left = seconds(damaged)
        except AsrError as error:
            return error.code, 0.0
    return ("warned" if caught else "read"), left


def check_salvaged(damaged: bytes, outcome: str, full: float) -> None:
    """Salvage: never more than there was, and a word wherever there is an error without it."""
    try:
        samples, words = salvaged(damaged)
    except AudioError as error:
        assert outcome == "audio-truncated" and error.code in ("audio-truncated", "audio-too-short")
        return
    assert len(samples) / 16_000 <= full + 0.3
    assert words or outcome == "read"


# Ogg


@pytest.mark.parametrize("kind", ["OGG OPUS", "OGG VORBIS"])
@pytest.mark.parametrize("which", [2, 3, -2, -1])
def test_a_page_of_ogg_with_one_wrong_bit_is_told_by_seconds(kind: str, which: int) -> None:
    whole = encoded(syllables(6.5), kind)
    start, stop = pages(whole)[which]
    damaged = flip(bytearray(whole), (start + stop) // 2)
    with pytest.raises(AudioTruncatedError, match=r"cut or damaged: [3456]\.\d\d of 6\.50 s can be read \(.* damaged"):
        load_audio(io.BytesIO(damaged))
    with pytest.raises(AudioTruncatedError):
        audio_info(io.BytesIO(damaged))


@pytest.mark.parametrize("kind", ["OGG OPUS", "OGG VORBIS"])
def test_salvaged_ogg_keeps_its_times(kind: str) -> None:
    whole = encoded(syllables(6.5), kind)
    all_pages = pages(whole)
    third = len(all_pages) // 3
    damaged = flip(bytearray(whole), sum(all_pages[third]) // 2)
    good, (words,) = load_audio(io.BytesIO(whole)), salvaged(damaged)[1]
    samples = salvaged(damaged)[0]
    assert len(samples) == len(good) == 104_000
    assert likeness(samples[-16_000:], good[-16_000:]) > 0.98
    assert likeness(samples[:12_000], good[:12_000]) > 0.999
    lost = np.count_nonzero(samples == 0) / 16_000
    assert f"{lost:.1f}"[0] in words and "of 6.50 s are missing (1 page damaged or missing); silence stands" in words


def test_ogg_with_bytes_between_its_pages_loses_nothing() -> None:
    whole = encoded(syllables(3), "OGG OPUS")
    at = pages(whole)[3][0]
    assert seconds(whole[:at] + b"OggS and more" * 100 + whole[at:]) == 3.0
    assert seconds(whole + bytes(5000)) == 3.0


def test_an_ogg_without_its_header_page_is_damaged_and_not_just_unknown() -> None:
    whole = encoded(syllables(3), "OGG VORBIS")
    damaged = flip(bytearray(whole), sum(pages(whole)[1]) // 2)
    for salvage in (False, True):
        with pytest.raises(AudioTruncatedError, match=r"a page of its header is damaged or missing"):
            load_audio(io.BytesIO(damaged), salvage=salvage)


@pytest.mark.parametrize("first", ["OGG OPUS", "OGG VORBIS"])
@pytest.mark.parametrize("second", ["OGG OPUS", "OGG VORBIS"])
def test_joined_ogg_files_are_read_to_their_end(first: str, second: str) -> None:
    one, other = syllables(2, seed=1), syllables(3, seed=2)
    joined = encoded(one, first) + encoded(other, second) + encoded(one, first)
    samples = load_audio(io.BytesIO(joined))
    assert len(samples) == 7 * 16_000
    for at, part in ((0, one), (2, other), (5, one)):
        assert likeness(samples[16_000 * at :][: len(part)], part) > 0.9
    assert audio_info(io.BytesIO(joined)).frames == 7 * 16_000


def test_joined_files_of_two_rates_and_channels_have_the_first_ones_rate() -> None:
    wide = np.repeat(syllables(2, rate=44_100)[:, None], 2, axis=1)
    joined = encoded(syllables(1), "OGG VORBIS") + encoded(wide, "OGG VORBIS", 44_100)
    assert seconds(joined) == pytest.approx(3, abs=0.01)
    assert audio_info(io.BytesIO(joined)).duration == pytest.approx(3, abs=0.01)


def test_a_range_of_joined_files_is_that_of_the_whole() -> None:
    joined = encoded(syllables(2, 1), "OGG VORBIS") + encoded(syllables(3, 2), "OGG VORBIS")
    whole = load_audio(io.BytesIO(joined))
    part = load_audio(io.BytesIO(joined), offset_s=1.5, duration_s=2.0)
    np.testing.assert_array_equal(part, whole[24_000:56_000])


def test_a_joint_that_is_damaged_loses_its_own_file_only() -> None:
    parts = [encoded(syllables(s, s), "OGG OPUS") for s in (2, 3, 4)]
    begin = len(parts[0])
    damaged = flip(bytearray(b"".join(parts)), begin + 30)
    with pytest.raises(AudioTruncatedError, match=r"of a stream whose beginning is missing"):
        load_audio(io.BytesIO(damaged))
    samples, words = salvaged(damaged)
    assert len(samples) / 16_000 == pytest.approx(6, abs=0.1) and words


def test_a_stream_recorded_from_its_middle_is_whole() -> None:
    """Positions then begin at hours; so does nothing here."""
    whole = encoded(syllables(8), "OGG VORBIS")
    all_pages = pages(whole)
    later = whole[: all_pages[1][1]]
    for number, (start, stop) in enumerate(all_pages[4:], start=2):
        page = bytearray(whole[start:stop])
        page[18:22] = struct.pack("<I", number)
        page[22:26] = bytes(4)
        page[22:26] = struct.pack("<I", ogg_checksum(bytes(page)))
        later += page
    assert 5 < seconds(later) < 8


# MP3


def variable(seconds: float = 20.0) -> np.ndarray:
    """Silence, then noise: the first frames say little of how long the rest is."""
    return np.concatenate([np.zeros(80_000, np.float32), syllables(seconds - 5)])


@pytest.mark.parametrize("mode", ["VARIABLE", "AVERAGE", "CONSTANT"])
def test_an_mp3_without_a_number_of_frames_is_read_to_its_end(mode: str) -> None:
    whole = encoded(variable(), "MP3", bitrate_mode=mode)
    bare = whole[mp3_frames(whole)[1][0] :]
    assert seconds(whole) == 20.0
    assert 20 <= seconds(bare) <= 20.15
    assert 20 <= audio_info(io.BytesIO(bare)).duration <= 20.15
    trimmed, untrimmed = load_audio(io.BytesIO(whole)), load_audio(io.BytesIO(bare))
    assert likeness(untrimmed[200_576:300_576], trimmed[200_000:300_000]) > 0.99  # LAME's delay stays without its tag


def test_joined_mp3_files_are_read_to_their_end() -> None:
    one, other = encoded(variable(8), "MP3", bitrate_mode="VARIABLE"), encoded(syllables(3), "MP3")
    tag = b"ID3\4\0\0\0\0\1\0" + bytes(128)
    for joint in (b"", tag, b"TAG" + bytes(125)):
        assert seconds(tag + one + joint + other + b"TAG" + bytes(125)) == pytest.approx(11, abs=0.15), joint[:3]
    stereo = encoded(np.repeat(syllables(2, rate=44_100)[:, None], 2, axis=1), "MP3", 44_100)
    assert seconds(one + stereo + other) == pytest.approx(13, abs=0.2)


@pytest.mark.parametrize("share", [0.2, 0.501, 0.9])
def test_an_mp3_that_ends_within_a_frame_is_cut_though_it_states_no_length(share: float) -> None:
    whole = encoded(variable(), "MP3")
    bare = whole[mp3_frames(whole)[1][0] :]
    inside = next(start for start, _ in mp3_frames(bare) if start > share * len(bare)) + 20
    with pytest.raises(AudioTruncatedError, match=r"it ends within a frame, and what came after it is not known"):
        load_audio(io.BytesIO(bare[:inside]))
    assert salvaged(bare[:inside])[1]


def test_an_mp3_with_a_gap_keeps_its_times_when_salvaged() -> None:
    whole = encoded(syllables(20), "MP3")
    frames = mp3_frames(whole)
    start, stop = frames[200][0] + 9, frames[260][0] + 30
    damaged = whole[:start] + bytes(stop - start) + whole[stop:]
    with pytest.raises(AudioTruncatedError, match=r"1[78]\.\d\d of 20\.\d\d s can be read \(frames are damaged"):
        load_audio(io.BytesIO(damaged))
    samples, good = salvaged(damaged)[0], load_audio(io.BytesIO(whole))
    assert abs(len(samples) - len(good)) < 2000
    assert likeness(samples[100_000:112_000], good[100_000:112_000]) > 0.9
    assert likeness(samples[200_000:300_000], good[200_000:300_000]) > 0.9


def test_a_header_of_mp3_that_says_too_few_frames_is_not_believed() -> None:
    data = bytearray(encoded(syllables(10), "MP3"))
    at = data.index(b"Xing") + 8
    data[at : at + 4] = struct.pack(">I", 50)
    with pytest.warns(AudioWarning, match=r"its header says 1\.80 s; all 10\.\d\d s were read"):
        assert seconds(bytes(data)) == pytest.approx(10, abs=0.15)


def test_damaged_mp3_does_not_flood_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    whole = bytearray(encoded(syllables(20), "MP3"))
    for at in range(len(whole) // 4, len(whole) * 3 // 4, 3000):
        whole[at : at + 1500] = bytes(1500)
    with pytest.raises(AudioTruncatedError):
        load_audio(io.BytesIO(bytes(whole)))
    assert capfd.readouterr().err == ""
    salvaged(bytes(whole))
    assert "resync" not in capfd.readouterr().err


# FLAC


def test_salvaged_flac_goes_on_after_the_damage_in_its_place() -> None:
    whole = encoded(syllables(10), "FLAC")
    damaged = zero(bytearray(flip(bytearray(whole), len(whole) // 4)), len(whole) * 2 // 3)
    with pytest.raises(AudioTruncatedError, match=r"cannot be decoded after 2\.\d s of 10\.0 s"):
        load_audio(io.BytesIO(damaged))
    (samples, words), good = salvaged(damaged), load_audio(io.BytesIO(whole))
    differ = np.flatnonzero(samples != good)
    assert len(samples) == len(good) and len(differ) < 1.2 * 16_000
    assert "of 10.00 s are missing" in words[0] and "silence stands for" in words[0]


@pytest.mark.parametrize(("stated", "words"), [(1, "all 10.00 s were read"), (80_000, "all 10.00 s were read")])
def test_a_flac_whose_header_says_less_is_read_to_its_end(stated: int, words: str) -> None:
    data = bytearray(encoded(syllables(10), "FLAC"))
    fields = int.from_bytes(data[18:26], "big") >> 36 << 36 | stated
    data[18:26] = fields.to_bytes(8, "big")
    with pytest.warns(AudioWarning, match=words):
        assert seconds(bytes(data)) == 10.0


def test_a_flac_whose_header_says_more_is_cut() -> None:
    data = bytearray(encoded(syllables(10), "FLAC"))
    data[18:26] = (int.from_bytes(data[18:26], "big") + 16_000).to_bytes(8, "big")
    with pytest.raises(AudioTruncatedError, match=r"of 11\.00 s can be read"):
        audio_info(io.BytesIO(bytes(data)))


@pytest.mark.parametrize("bits", [8, 12, 16, 20, 24])
def test_flac_of_any_common_width_is_read(bits: int) -> None:
    wave = syllables(0.5)
    data = flac(np.round(wave * (1 << (bits - 1))).astype(int).tolist(), bits)
    np.testing.assert_allclose(load_audio(io.BytesIO(data)), wave, atol=1.0 / (1 << (bits - 1)))


def test_flac_of_another_width_is_refused_by_its_true_reason() -> None:
    data = bytearray(flac([0] * 8000, 16, coded_bits=False))
    data[20:22] = (int.from_bytes(data[20:22], "big") & ~0x1F0 | 13 << 4).to_bytes(2, "big")
    with pytest.raises(AudioFormatError, match=r"FLAC of 14 bits a sample; 8, 12, 16, 20 and 24 bits can be read"):
        load_audio(io.BytesIO(bytes(data)))


def test_tags_around_a_flac_and_after_it_are_not_its_sound() -> None:
    whole = encoded(syllables(3), "FLAC")
    assert seconds(whole + b"TAG" + bytes(125)) == 3.0
    assert len(salvaged(whole + b"TAG" + bytes(125))[0]) == 48_000
    assert salvaged(whole)[1] == []


# RIFF and others


def test_a_wav_whose_size_is_too_small_is_read_to_the_end_that_riff_states() -> None:
    data = bytearray(encoded(syllables(4), "WAV"))
    at = data.index(b"data") + 4
    data[at : at + 4] = struct.pack("<I", 32_000)
    with pytest.warns(AudioWarning, match=r"its header says 1\.00 s of samples; the 3\.00 s after them were read too"):
        assert seconds(bytes(data)) == 4.0


def test_bytes_after_both_ends_of_a_wav_are_told_by_seconds() -> None:
    data = encoded(syllables(4), "WAV")
    with pytest.warns(AudioWarning, match=r"0\.50 s after the end that its header says were not read"):
        assert seconds(data + b"\x01\x02" * 8000) == 4.0


@pytest.mark.parametrize("after", [b"LIST\4\0\0\0abcd", b"id3 \3\0\0\0abc", bytes(512), b"LIST\xff\0\0\0INFO"])
def test_chunks_and_padding_after_the_samples_need_no_word(after: bytes) -> None:
    assert seconds(encoded(syllables(2), "WAV") + after) == 2.0


@pytest.mark.parametrize("kind", ["WAV", "RF64", "AIFF", "AU", "NIST"])
def test_a_file_shorter_than_its_header_says(kind: str) -> None:
    data = encoded(syllables(10), kind)
    damaged = data[: len(data) * 8 // 10]
    with pytest.raises(AudioTruncatedError, match=r"cut or damaged: [78]\.\d\d of 10\.\d\d s can be read"):
        load_audio(io.BytesIO(damaged))
    samples, words = salvaged(damaged)
    assert len(samples) / 16_000 == pytest.approx(8, abs=0.05)
    assert len(words) == 1 and "of 10.0" in words[0] and "s are missing" in words[0]


def test_a_range_of_a_salvaged_recording_says_what_it_lacks() -> None:
    data = encoded(syllables(10), "WAV")[: 44 + 6 * 32_000]
    with pytest.warns(AudioWarning, match=r"2\.00 of 3\.00 s are missing"):
        assert len(load_audio(io.BytesIO(data), offset_s=5, duration_s=3, salvage=True)) == 16_000
