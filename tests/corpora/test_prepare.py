"""What holds for every corpus: names, drops, paths, whole files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import asr.data.manifest
from asr.audio import AUDIO_SUFFIXES
from asr.corpora.disk import SUFFIXES
from asr.corpora.prepare import prepare
from asr.data import read_manifest
from asr.errors import CorpusError


@pytest.fixture
def digits(tmp_path, record) -> Path:
    for name in ("0_anna_0", "1_anna_0", "1_ben_0"):
        record(tmp_path / f"digits/recordings/{name}.wav", 0.5, 8000)
    return tmp_path / "digits"


def test_the_summary_counts_and_is_written(digits, tmp_path):
    (digits / "recordings/2_ben_0.wav").write_bytes(b"")
    (digits / "recordings/3_ben_0.wav").write_bytes(b"this is no sound at all")
    summary = prepare("fsdd", digits, tmp_path / "out")
    (manifest,) = summary.manifests
    assert (manifest.utterances, manifest.speakers) == (3, 2)
    assert manifest.hours == pytest.approx(1.5 / 3600)
    assert manifest.dropped == {"empty recording": ["2_ben_0"], "unreadable audio (audio-format)": ["3_ben_0"]}
    written = json.loads((tmp_path / "out/summary.json").read_text())
    assert written == summary.to_json()
    assert written["manifests"][0]["dropped"] == manifest.dropped


def test_a_recording_with_a_header_and_no_samples_is_empty(digits, tmp_path, record):
    record(digits / "recordings/2_ben_0.wav", 0.0)
    assert prepare("fsdd", digits, tmp_path / "out").manifests[0].dropped == {"empty recording": ["2_ben_0"]}


def test_the_default_folder_is_manifests(digits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prepare("fsdd", "digits")
    assert sorted(os.listdir("manifests/fsdd")) == ["all.jsonl", "summary.json"]
    assert all(Path(u.audio_filepath).is_file() for u in read_manifest("manifests/fsdd/all.jsonl"))


def test_recordings_below_the_manifest_are_named_relative_to_it(digits, tmp_path):
    prepare("fsdd", digits, digits)
    first = json.loads((digits / "all.jsonl").read_text().splitlines()[0])
    assert first["audio_filepath"] == "recordings/0_anna_0.wav"
    prepare("fsdd", digits, tmp_path / "elsewhere")
    first = json.loads((tmp_path / "elsewhere/all.jsonl").read_text().splitlines()[0])
    assert first["audio_filepath"] == str(digits / "recordings/0_anna_0.wav")


def test_two_runs_write_the_same_bytes(digits, tmp_path):
    prepare("fsdd", digits, tmp_path / "a")
    prepare("fsdd", digits, tmp_path / "b")
    assert (tmp_path / "a/all.jsonl").read_bytes() == (tmp_path / "b/all.jsonl").read_bytes()


def test_a_split_of_which_nothing_is_left_leaves_no_manifest_not_even_an_old_one(tmp_path, record, write):
    write(tmp_path / "cv/train.tsv", "client_id\tpath\tsentence\na\t1.mp3\tYes.\n")
    write(tmp_path / "cv/dev.tsv", "client_id\tpath\tsentence\nb\t2.mp3\tNo.\n")
    record(tmp_path / "cv/clips/1.mp3")
    old = write(tmp_path / "out/dev.jsonl", "of an earlier run\n")
    summary = prepare("common_voice", tmp_path / "cv", tmp_path / "out")
    assert [(m.path.name, m.utterances) for m in summary.manifests] == [("train.jsonl", 1), ("dev.jsonl", 0)]
    assert not old.exists()


def test_nothing_usable_is_an_error_with_the_reasons(tmp_path, write):
    write(tmp_path / "recordings/0_anna_0.wav", "no sound")
    with pytest.raises(
        CorpusError, match=r"(?s)nothing in it can be used.*all: 1 unreadable audio .audio-format.: 0_anna_0"
    ):
        prepare("fsdd", tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_recording_cut_short_is_told_from_one_that_is_no_audio(digits, tmp_path):
    path = digits / "recordings/0_anna_0.wav"
    path.write_bytes(path.read_bytes()[:-1000])
    dropped = prepare("fsdd", digits, tmp_path / "out").manifests[0].dropped
    assert dropped == {"unreadable audio (audio-truncated)": ["0_anna_0"]}


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("librispeach", "did you mean librispeech?"),
        ("Common-Voice", "did you mean common_voice?"),
        ("xyzzy", "There are: an4, common_voice"),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest(tmp_path, name, hint):
    with pytest.raises(CorpusError) as error:
        prepare(name, tmp_path)
    assert hint in str(error.value)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(CorpusError, match="there is no such folder; say where an4 is, or fetch it with --download"):
        prepare("an4", tmp_path / "nowhere")


def test_a_file_where_a_folder_is_needed(tmp_path, write):
    with pytest.raises(CorpusError, match="a folder is needed"):
        prepare("an4", write(tmp_path / "file", ""))


def test_an_output_folder_that_is_a_file(digits, tmp_path, write):
    with pytest.raises(CorpusError, match="cannot be written"):
        prepare("fsdd", digits, write(tmp_path / "file", ""))


def test_a_list_that_is_not_utf8(tmp_path):
    (tmp_path / "metadata.csv").write_bytes(b"a|caf\xe9|caf\xe9\n")
    with pytest.raises(CorpusError, match=r"metadata\.csv: cannot be read as UTF-8"):
        prepare("ljspeech", tmp_path)


def test_a_write_that_is_interrupted_leaves_the_old_manifest(digits, tmp_path, monkeypatch):
    prepare("fsdd", digits, tmp_path / "out")
    before = (tmp_path / "out/all.jsonl").read_bytes()
    (digits / "recordings/1_ben_0.wav").unlink()
    calls = iter(range(2))

    def interrupted(utterance):
        if next(calls):
            raise KeyboardInterrupt
        return {}

    monkeypatch.setattr(asr.data.manifest, "_to_fields", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare("fsdd", digits, tmp_path / "out")
    assert (tmp_path / "out/all.jsonl").read_bytes() == before
    assert sorted(os.listdir(tmp_path / "out")) == ["all.jsonl", "summary.json"]


def test_ctrl_c_while_headers_are_read_ends_at_once_and_writes_nothing(digits, tmp_path):
    slow = (
        "import sys, time, asr.audio\n"
        "asr.audio.audio_info = lambda path: (print('reading', flush=True), time.sleep(0.5))\n"
        "from asr.cli.main import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    command = [sys.executable, "-c", slow, "prepare", "fsdd", str(digits), "-o", str(tmp_path / "out")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (130, "asr: interrupted\n")
    assert not (tmp_path / "out").exists()


def test_every_suffix_that_can_be_decoded_is_looked_for():
    assert set(SUFFIXES) == AUDIO_SUFFIXES
