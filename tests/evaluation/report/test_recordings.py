"""Recordings in the page: what is decoded is what was encoded, the same twice, and no more than asked for."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.audio import load_audio
from asr.data import Utterance
from asr.evaluation.report import embed_recordings, recordings
from asr.evaluation.report.recordings import RATE, data_uri

SAMPLE = Path(__file__).parents[2] / "recordings" / "sample.wav"


def bytes_of(uri):
    head, data = uri.split(",")
    assert head == "data:audio/ogg;base64"
    return base64.b64decode(data)


def spans(*names):
    return [Utterance(name, str(SAMPLE), 0.5, "", "s", offset=0.5) for name in names]


def test_libsndfile_reads_it_again_checksums_and_all():
    samples = load_audio(SAMPLE, RATE)
    stream = bytes_of(data_uri(samples))
    heard, rate = soundfile.read(io.BytesIO(stream), dtype="float32")
    assert (rate, len(heard)) == (RATE, len(samples))
    assert np.corrcoef(heard, samples)[0, 1] > 0.9


def test_it_is_about_29_kilobits_a_second():
    samples = load_audio(SAMPLE, RATE)
    assert 15_000 < 8 * len(bytes_of(data_uri(samples))) / (len(samples) / RATE) < 40_000


def test_the_same_samples_give_the_same_uri():
    samples = load_audio(SAMPLE, RATE)[:RATE]
    assert data_uri(samples) == data_uri(samples)


def plain_crc(page):
    """RFC 3533's checksum, a bit at a time."""
    register = 0
    for byte in page:
        register ^= byte << 24
        for _ in range(8):
            register = ((register << 1) ^ (0x04C11DB7 if register & 0x80000000 else 0)) & 0xFFFFFFFF
    return register


def test_pages_have_the_checksum_of_the_standard():
    page = bytearray(bytes_of(data_uri(np.zeros(800, np.float32))).split(b"OggS")[1])
    page = bytearray(b"OggS") + page
    noted, page[22:26] = int.from_bytes(page[22:26], "little"), bytes(4)
    assert plain_crc(page) == noted


def test_a_span_of_a_recording_is_heard_not_all_of_it():
    (uri,) = dict(embed_recordings(spans("a"))).values()
    heard, _ = soundfile.read(io.BytesIO(bytes_of(uri)))
    assert len(heard) == RATE // 2


@pytest.mark.parametrize(("count", "names"), [(None, "abc"), (2, "ab"), (0, ""), (9, "abc")])
def test_the_first_so_many_are_carried(count, names):
    assert "".join(dict(embed_recordings(spans(*"abc"), count))) == names


def test_what_cannot_be_read_is_passed_over(tmp_path):
    missing = Utterance("gone", str(tmp_path / "gone.wav"), 1.0, "", "s")
    assert [name for name, _ in embed_recordings([missing, *spans("a", "b")], 1)] == ["a"]


def test_without_a_count_the_budget_is_kept(monkeypatch):
    one = len(dict(embed_recordings(spans("a")))["a"])
    monkeypatch.setattr(recordings, "BUDGET", 2 * one)
    assert [name for name, _ in embed_recordings(spans(*"abc"))] == ["a", "b"]
    monkeypatch.setattr(recordings, "BUDGET", 2 * one - 1)
    assert [name for name, _ in embed_recordings(spans(*"abc"))] == ["a"]
