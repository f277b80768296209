"""`asr transcribe` as a user meets it: another process, its output, its words on stderr, its exit code."""

from __future__ import annotations

import json
import os
import re
import runpy
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.cli import transcribe as transcribe_verb
from asr.inference.writers import FORMATS

fake = runpy.run_path(str(Path(__file__).parents[1] / "inference" / "fake_bundle.py"))
speak = fake["speak"]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    for open_to_all in [folder, *folder.parents][:3]:
        os.chmod(open_to_all, 0o755)
    return fake["write_fake_bundle"](folder / "tones")


@pytest.fixture
def transcribe(bundle: Path, tmp_path: Path):
    def run(*arguments: object, **more: object) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "asr", "transcribe", "--model", bundle, "--threads", "1", *arguments]
        options = {"cwd": tmp_path, "capture_output": True, "text": True} | more
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        done = subprocess.run(list(map(str, command)), env=environment, **options)
        assert b"Traceback" not in (done.stderr if isinstance(done.stderr, bytes) else done.stderr.encode())
        return done

    return run


def write(path: Path, text: str, **more: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, speak(text), 16_000, **more)
    return path


# To stdout


def test_one_file_is_just_its_text(transcribe, tmp_path: Path) -> None:
    done = transcribe(write(tmp_path / "a.wav", "ABBA"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "ABBA\n", "")


def test_several_files_are_named(transcribe, tmp_path: Path) -> None:
    write(tmp_path / "a.wav", "ABBA"), write(tmp_path / "b.flac", "CAFE")
    done = transcribe("b.flac", "a.wav")
    assert (done.returncode, done.stdout, done.stderr) == (0, "b.flac\tCAFE\na.wav\tABBA\n", "")


def test_a_folder_is_walked_for_recordings(transcribe, tmp_path: Path) -> None:
    write(tmp_path / "in" / "deep" / "er" / "b.FLAC", "BB", format="FLAC")
    write(tmp_path / "in" / "a.wav", "AA")
    (tmp_path / "in" / "notes.txt").write_text("no recording")
    done = transcribe("in")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["in/a.wav\tAA", "in/deep/er/b.FLAC\tBB"]


def test_stdin(transcribe, tmp_path: Path) -> None:
    done = transcribe("-", input=write(tmp_path / "a.flac", "DEAF").read_bytes(), text=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"DEAF\n", b"")
    done = transcribe("-", input="")
    assert done.returncode == 1
    assert done.stderr == "asr: error[audio-empty]: <stdin>: the file is empty (0 bytes)\n"


def test_other_formats_on_stdout(transcribe, tmp_path: Path) -> None:
    write(tmp_path / "a.wav", "ABBA"), write(tmp_path / "b.wav", "CAFE")
    shown = transcribe("a.wav", "-f", "vtt").stdout
    assert re.fullmatch(r"WEBVTT\n\n00:00\.\d{3} --> 00:0[01]\.\d{3}\nABBA\n\n", shown)
    assert json.loads(transcribe("a.wav", "-f", "json").stdout)["segments"][0]["text"] == "ABBA"
    for name in ("json", "jsonl"):
        lines = [json.loads(line) for line in transcribe("a.wav", "b.wav", "-f", name).stdout.splitlines()]
        assert [(line["path"], line["text"]) for line in lines] == [("a.wav", "ABBA"), ("b.wav", "CAFE")]


def test_ctm_calls_a_recording_by_its_path_below_the_folder(transcribe, tmp_path: Path) -> None:
    write(tmp_path / "in" / "x" / "a.wav", "AB BA"), write(tmp_path / "in" / "y" / "a.wav", "CAFE")
    rows = [line.split() for line in transcribe("in", "-f", "ctm").stdout.splitlines() if line[:2] != ";;"]
    assert [(r[0], r[1], r[4]) for r in rows] == [("x/a", "1", "AB"), ("x/a", "1", "BA"), ("y/a", "1", "CAFE")]
    done = transcribe("in/x/a.wav", "in/y/a.wav", "-f", "ctm")
    assert done.returncode == 1 and "would both be called a in the ctm; rename one" in done.stderr


@pytest.mark.parametrize(
    "arguments", [["a.wav", "b.wav", "-f", "srt"], ["a.wav", "-f", "all"], ["a.wav", "-f", "srt,json"]]
)
def test_what_cannot_be_told_apart_on_stdout_needs_a_folder(transcribe, tmp_path: Path, arguments: list[str]) -> None:
    write(tmp_path / "a.wav", "ABBA"), write(tmp_path / "b.wav", "CAFE")
    done = transcribe(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("asr: error[config]: -f ") and "needs -o FOLDER" in done.stderr


# To files


def files_below(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_files_keep_their_place_below_the_folder(transcribe, tmp_path: Path) -> None:
    write(tmp_path / "in" / "x" / "same.wav", "AA"), write(tmp_path / "in" / "y" / "same.wav", "BB")
    done = transcribe("in", "-o", "out")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert files_below(tmp_path / "out") == {"x/same.txt": "AA\n", "y/same.txt": "BB\n"}


def test_two_recordings_never_write_one_file(transcribe, tmp_path: Path) -> None:
    write(tmp_path / "x" / "same.wav", "AA"), write(tmp_path / "y" / "same.flac", "BB")
    done = transcribe("x/same.wav", "y/same.flac", "-o", "out")
    assert done.returncode == 1 and not (tmp_path / "out").exists()
    assert done.stderr.startswith("asr: error[config]: x/same.wav and y/same.flac would both be written to out/same.*")


def test_all_formats_at_once(transcribe, tmp_path: Path) -> None:
    write(tmp_path / "a.b.wav", "ABBA")
    assert transcribe("a.b.wav", "-o", "out", "-f", "all").returncode == 0
    assert sorted(files_below(tmp_path / "out")) == sorted(f"a.b.{name}" for name in FORMATS)


def test_the_command_line_names_every_format() -> None:
    assert transcribe_verb.FORMATS == FORMATS


def test_two_formats_with_lines_cut(transcribe, tmp_path: Path) -> None:
    write(tmp_path / "a.wav", "ABBA CAFE BAD")
    assert transcribe("a.wav", "-o", "out", "-f", "srt,txt", "--max_line_width", "9").returncode == 0
    assert list(files_below(tmp_path / "out")) == ["a.srt", "a.txt"]
    assert files_below(tmp_path / "out")["a.srt"].endswith("\nABBA CAFE\nBAD\n\n")
    shown = transcribe("a.wav", "-f", "srt", "--max_line_width", "9", "--max_line_count", "1").stdout.split("\n\n")
    assert [cue.split("\n")[0::2] for cue in shown[:-1]] == [["1", "ABBA CAFE"], ["2", "BAD"]]


def test_words_with_times_and_underlines(transcribe, tmp_path: Path) -> None:
    write(tmp_path / "a.wav", "ABBA CAFE")
    timed = transcribe("a.wav", "-f", "vtt", "--word_timestamps").stdout
    assert re.search(r"^ABBA <00:0\d\.\d\d\d>CAFE$", timed, re.M)
    underlined = transcribe("a.wav", "-f", "srt", "--word_timestamps", "--highlight_words").stdout
    assert "\n<u>ABBA</u> CAFE\n" in underlined and "\nABBA <u>CAFE</u>\n" in underlined


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("-f srt --highlight_words", "highlight_words needs word_timestamps"),
        ("-f vtt --max_line_count 2", "max_line_count needs max_line_width"),
        ("-f txt,json --max_line_width 40", "-f txt,json has no lines to break or words to mark; srt and vtt have"),
    ],
)
def test_options_without_what_they_need(transcribe, tmp_path: Path, flags: str, message: str) -> None:
    done = transcribe(write(tmp_path / "a.wav", "ABBA"), *flags.split())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"asr: error[config]: {message}")


def test_a_terminal_sees_a_bar(bundle: Path, tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.wav", "ABBA"), write(tmp_path / "in" / "b.wav", "CAFE")
    command = [sys.executable, "-m", "asr", "transcribe", "in", "-o", "out", "--model", str(bundle)]
    terminal, its_end = os.openpty()
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm"}
    subprocess.run(command, cwd=tmp_path, env=environment, stderr=its_end, check=True)
    shown = os.read(terminal, 100_000).decode()
    os.close(terminal), os.close(its_end)
    assert "transcribing" in shown and "2/2" in shown


# What goes wrong


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """A folder of bad recordings, each named by the code of its error."""
    folder = tmp_path / "bad"
    good = write(folder / "good.wav", "ABBA").read_bytes()
    rate = bytearray(good)
    rate[24:28] = struct.pack("<I", 1_000_000)
    flac = write(tmp_path / "whole.flac", "ABBA" * 20).read_bytes()
    nan = np.full(16_000, np.nan, np.float32)
    (folder / "audio-empty.wav").touch()
    (folder / "audio-format.wav").write_text("Call me Ishmael. " * 50)
    (folder / "audio-truncated.wav").write_bytes(good[:-100])
    (folder / "audio-truncated.flac").write_bytes(flac[: len(flac) // 2])
    (folder / "sample-rate.wav").write_bytes(rate)
    soundfile.write(folder / "audio-not-finite.wav", nan, 16_000, subtype="FLOAT")
    soundfile.write(folder / "audio-too-short.wav", np.zeros(160), 16_000)
    return folder


def test_each_bad_recording_is_named_with_its_reason_and_the_rest_go_on(transcribe, bad: Path) -> None:
    done = transcribe("bad")
    assert (done.returncode, done.stdout) == (1, "bad/good.wav\tABBA\n")
    expected = sorted(p for p in bad.iterdir() if p.name != "good.wav")
    lines = done.stderr.splitlines()
    assert len(lines) == len(expected) == 7
    for line, path in zip(lines, expected, strict=True):
        assert line.startswith(f"asr: error[{path.stem}]: bad/{path.name}: ")


@pytest.mark.parametrize(
    "name",
    ["audio-empty.wav", "audio-format.wav", "audio-truncated.wav", "audio-truncated.flac"]
    + ["sample-rate.wav", "audio-not-finite.wav", "audio-too-short.wav"],
)
def test_a_bad_recording_alone(transcribe, bad: Path, name: str) -> None:
    done = transcribe(bad / name)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"asr: error[{Path(name).stem}]: {bad / name}: ")
    assert done.stderr.count("\n") == 1


def test_a_file_that_is_not_there(transcribe, tmp_path: Path) -> None:
    write(tmp_path / "a.wav", "ABBA")
    done = transcribe("a.wav", "b.wav")
    assert (done.returncode, done.stdout) == (1, "a.wav\tABBA\n")
    assert done.stderr == "asr: error[audio-not-found]: b.wav: no such file\n"


def test_a_folder_of_nothing(transcribe, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = transcribe("empty")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("asr: error[audio-not-found]: empty: no recordings in this folder (looked for .flac ")


def test_a_file_that_may_not_be_read(bundle: Path, tmp_path: Path) -> None:
    """Permissions do not bind root, so nobody runs it; what is imported, which may lie where nobody reads, before."""
    path, other = write(tmp_path / "a.wav", "ABBA"), write(tmp_path / "b.wav", "B")
    for folder in [tmp_path, *tmp_path.parents][:3]:
        os.chmod(folder, 0o755)
    path.chmod(0)
    code = (
        "import os, sys; from asr.cli.main import main; main([*sys.argv[2:-1], sys.argv[1]]); "
        "os.geteuid() or os.seteuid(65534); sys.exit(main(sys.argv[2:]))"
    )
    command = [sys.executable, "-c", code, str(other), "transcribe", "--model", str(bundle), str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"asr: error[audio-permission]: {path}: may not be read; change its permissions")


def test_no_such_model(transcribe, tmp_path: Path) -> None:
    done = transcribe(write(tmp_path / "a.wav", "ABBA"), "--model", "nothing")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("asr: error[bundle-not-found]: no bundle 'nothing'")


WRONG = ["--batch_size 0", "--threads -1", "-f docx", "-f srt,docx", "-f srt,all", "--max_line_width 0", "--no-such"]


@pytest.mark.parametrize("flags", WRONG)
def test_a_wrong_command_line_is_2(transcribe, flags: str) -> None:
    done = transcribe("a.wav", *flags.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: asr transcribe")


def test_ctrl_c_keeps_what_was_written(bundle: Path, tmp_path: Path) -> None:
    for i in range(400):
        write(tmp_path / "in" / f"{i:03}.wav", "ABCDEFG" * 5)
    command = [
        sys.executable,
        "-m",
        "asr",
        "transcribe",
        "in",
        "-o",
        "out",
        "--batch_size",
        "1",
        "--model",
        str(bundle),
    ]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    while not list((tmp_path / "out").glob("*.txt")):
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert (process.returncode, stderr) == (130, "asr: interrupted\n")
    written = files_below(tmp_path / "out")
    assert 0 < len(written) < 400
    assert set(written.values()) == {"ABCDEFG" * 5 + "\n"} and all(name.endswith(".txt") for name in written)


def test_without_the_training_libraries(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in {'tensorflow', 'keras', 'librosa', 'scipy', 'hydra', 'omegaconf', 'onnx'}:\n"
        "            raise ImportError(name + ' is not for transcription')\n"
        "sys.meta_path.insert(0, Refuse())\n"
    )
    environment = os.environ | {"PYTHONPATH": f"{tmp_path / 'site'}:{Path(__file__).parents[2]}"}
    path = write(tmp_path / "a.wav", "ABBA")
    command = [sys.executable, "-m", "asr", "transcribe", str(path), "--model", str(bundle)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ABBA\n", "")
    command = [sys.executable, "-c", "import librosa"]
    assert subprocess.run(command, env=environment, capture_output=True).returncode == 1
