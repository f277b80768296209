"""`asr transcribe` as a user meets it: another process, its output, its words on stderr, its exit code."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.bundle import write_decoder
from asr.card import read_card
from asr.cli import transcribe as transcribe_verb
from asr.decoding import DecoderSettings
from asr.distribution import install_command
from asr.inference.writers import FORMATS

fake = runpy.run_path(str(Path(__file__).parents[1] / "inference" / "fake_bundle.py"))
speak = fake["speak"]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    for open_to_all in [folder, *folder.parents][:3]:
        os.chmod(open_to_all, 0o755)
    return fake["write_fake_bundle"](folder / "tones")


LOUD_IS_SPEECH = """
import numpy as np
from asr.audio.voice_activity import VoiceActivity

def loud(samples):
    frames = np.pad(samples, (80, 160))[: (1 + len(samples) // 160) * 160].reshape(-1, 160)
    return (np.abs(frames).max(axis=1) > 0.01).astype(np.float32)

VoiceActivity.load = lambda: loud
"""


@pytest.fixture(scope="module")
def path_to_loud(tmp_path_factory: pytest.TempPathFactory) -> str:
    """PYTHONPATH of a process in which whatever is loud is speech; what the detector makes of tones is chance."""
    site = tmp_path_factory.mktemp("site")
    (site / "sitecustomize.py").write_text(LOUD_IS_SPEECH)
    return f"{site}:{Path(__file__).parents[2]}"


@pytest.fixture
def transcribe(bundle: Path, path_to_loud: str, tmp_path: Path):
    def run(*arguments: object, **more: object) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "asr", "transcribe", "--model", bundle, "--threads", "1", *arguments]
        options = {"cwd": tmp_path, "capture_output": True, "text": True} | more
        environment = os.environ | {"PYTHONPATH": path_to_loud}
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
    assert done.returncode == 0 and {line.split()[0] for line in done.stdout.splitlines()} == {"x/a.wav", "y/a.wav"}


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
    for number, name in enumerate(["x/same.wav", "y/same.wav", "y/same.flac", "y/alone.wav"], start=1):
        write(tmp_path / name, "ABCD"[number - 1] * number)
    (tmp_path / "y" / "same.mp3").write_bytes(b"no recording")
    done = transcribe("x/same.wav", "y", "-o", "out")
    assert done.returncode == 1
    first, second, last = done.stderr.splitlines()
    assert first == "asr: 4 recordings share a name; the output of x/same.wav is called x/same.wav"
    assert second.startswith("asr: error[audio-format]: y/same.mp3: ")
    assert last == "asr: 1 of 5 recordings failed, with the reasons above"
    written = {"x/same.wav.txt": "A\n", "y/same.wav.txt": "BB\n", "same.flac.txt": "CCC\n", "alone.txt": "DDDD\n"}
    assert files_below(tmp_path / "out") == written


def test_an_output_that_cannot_be_written_does_not_end_the_batch(transcribe, tmp_path: Path) -> None:
    long = "a" * 251
    write(tmp_path / "in" / f"{long}.wav", "AA"), write(tmp_path / "in" / "b.wav", "BB")
    write(tmp_path / "in" / "c.wav", "CC")
    (tmp_path / "out" / "b.json").mkdir(parents=True)
    done = transcribe("in", "-o", "out", "-f", "json,txt")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"asr: error[system]: out/{long}.json: File name too long",
        "asr: error[system]: out/b.json: Is a directory",
        "asr: 2 of 3 recordings failed, with the reasons above",
    ]
    assert sorted(files_below(tmp_path / "out")) == [f"{long}.txt", "b.txt", "c.json", "c.txt"]
    done = transcribe("in", "-o", "in/b.wav")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "asr: error[config]: -o in/b.wav is a file, and a folder to write files to is needed\n"


def test_of_a_folder_nothing_is_left_out_in_silence(transcribe, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere" / "linked.wav", "AA")
    (tmp_path / "in" / ".trash").mkdir(parents=True)
    (tmp_path / "in" / "sub").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "around").symlink_to(tmp_path / "in")
    write(tmp_path / "in" / "b.aiff", "BB", format="AIFF")
    write(tmp_path / "in" / "._b.aiff", "BB", format="AIFF")
    (tmp_path / "in" / "c.m4a").write_bytes(b"\0\0\0\x20ftypM4A ")
    (tmp_path / "in" / "lost.wav").symlink_to("nowhere.wav")
    done = transcribe("in")
    assert (done.returncode, done.stdout) == (1, "in/b.aiff\tBB\nin/sub/linked.wav\tAA\n")
    note, *errors, count = done.stderr.splitlines()
    assert note.startswith("asr: in: 2 hidden files and folders left out, such as in/._b.aiff;")
    assert [line.split(": ")[1:3] for line in errors] == [
        ["error[audio-format]", "in/c.m4a"],
        ["error[audio-not-found]", "in/lost.wav"],
    ]
    assert count == "asr: 2 of 4 recordings failed, with the reasons above"


def test_all_formats_at_once(transcribe, tmp_path: Path) -> None:
    write(tmp_path / "a.b.wav", "ABBA")
    assert transcribe("a.b.wav", "-o", "out", "-f", "all").returncode == 0
    assert sorted(files_below(tmp_path / "out")) == sorted(f"a.b.{name}" for name in FORMATS)


def test_the_help_names_every_format() -> None:
    assert all(f"\n  {name} " in transcribe_verb.__doc__ for name in FORMATS)


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
        ("-f txt,json --max_line_width 40", "-f txt,json has no lines to break or words to mark; srt and vtt have"),
        ("-f txt --word_timestamps", "-f txt has no times of words; json, vtt and ctm have"),
        ("-f srt,txt --n_best 3", "-f srt,txt has no place for --n_best hypotheses; json and jsonl have"),
    ],
)
def test_options_without_what_they_need(transcribe, tmp_path: Path, flags: str, message: str) -> None:
    done = transcribe(write(tmp_path / "a.wav", "ABBA"), *flags.split())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"asr: error[config]: {message}")


def numbered_lines(srt: str) -> list[list[str]]:
    return [cue.split("\n")[2:] for cue in srt.split("\n\n")[:-1]]


def test_subtitles_are_cut_as_broadcasters_do(transcribe, tmp_path: Path) -> None:
    """A letter takes 0.2 s, so that seven seconds are full before two lines are."""
    write(tmp_path / "a.wav", "ABBA CAFE BAD " * 5)
    assert numbered_lines(transcribe("a.wav", "-f", "srt").stdout) == [
        ["ABBA CAFE BAD ABBA CAFE BAD ABBA"],
        ["CAFE BAD ABBA CAFE BAD ABBA CAFE"],
        ["BAD"],
    ]
    narrow = transcribe("a.wav", "-f", "srt", "--max_line_width", 9, "--max_line_count", 2).stdout
    assert numbered_lines(narrow)[:2] == [["ABBA CAFE", "BAD ABBA"], ["CAFE BAD", "ABBA CAFE"]]


WHISPER = "--language en --task transcribe --device cpu --fp16 False --temperature 0 --beam_size 5 --verbose"


def test_the_usual_flags_of_whisper(transcribe, tmp_path: Path) -> None:
    write(tmp_path / "a.wav", "ABBA"), write(tmp_path / "b.wav", "CAFE")
    timed = r"\[00:00\.\d{3} --> 00:0[01]\.\d{3}\] "
    done = transcribe("a.wav", *WHISPER.split(), "True")
    assert (done.returncode, done.stderr) == (0, "") and re.fullmatch(rf"{timed}ABBA\n", done.stdout)
    assert transcribe(*WHISPER.split(), "False", "a.wav", "--model_dir", "models").stdout == "ABBA\n"
    done = transcribe(*WHISPER.split(), "a.wav", "b.wav", "-o", "out", "-f", "vtt", "--word_timestamps", "True")
    assert re.fullmatch(rf"a.wav\t{timed}ABBA\nb.wav\t{timed}CAFE\n", done.stdout)
    assert sorted(files_below(tmp_path / "out")) == ["a.vtt", "b.vtt"]


@pytest.mark.parametrize(
    ("flags", "answer"),
    [
        ("--task translate", "argument --task: texts are written in the language that is spoken; leave it out"),
        ("--device cuda", "argument --device: transcription runs on the CPU; leave it out"),
        ("--initial_prompt Ada", "no text can be continued; --hotwords favours names and words"),
        ("--temperature 0.2", "decoding has no randomness and no second try; leave it out"),
        ("--condition_on_previous_text True", "each stretch of speech is decoded for itself; leave it out"),
        ("--max_line_cuont 2", "there is no --max_line_cuont, did you mean --max_line_count?"),
    ],
)
def test_other_flags_of_whisper_are_answered_in_a_line(transcribe, flags: str, answer: str) -> None:
    done = transcribe("a.wav", *flags.split())
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert answer in done.stderr


def test_another_language_or_two_things_at_once_are_refused(transcribe, bundle: Path, tmp_path: Path) -> None:
    write(tmp_path / "a.wav", "ABBA")
    (tmp_path / "models").mkdir()
    shutil.copytree(bundle, tmp_path / "models" / "mine")
    write_decoder(tmp_path / "models" / "mine", DecoderSettings(), None, replace(read_card(bundle), language="en"))
    mine = ["--model_dir", "models", "--model", "mine"]
    assert transcribe("a.wav", "--language", "de").stdout == "ABBA\n"  # the card of this one states none
    assert transcribe("a.wav", *mine, "--language", "English").stdout == "ABBA\n"
    done = transcribe("a.wav", *mine, "--language", "de")
    assert done.stderr == ("asr: error[config]: --language de: the model mine hears 'en'; name one that hears it\n")
    done = transcribe("a.wav", "--verbose", "-f", "json")
    assert (done.returncode, done.stdout) == (1, "") and "name a folder with -o" in done.stderr


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
    *lines, count = done.stderr.splitlines()
    assert count == "asr: 7 of 8 recordings failed, with the reasons above"
    assert len(lines) == len(expected) == 7
    for line, path in zip(lines, expected, strict=True):
        assert line.startswith(f"asr: error[{path.stem}]: bad/{path.name}: ")


@pytest.mark.parametrize(
    "name",
    ["audio-empty.wav", "audio-format.wav", "audio-truncated.wav", "audio-truncated.flac"]
    + ["sample-rate.wav", "audio-not-finite.wav", "audio-too-short.wav"],
)
def test_a_bad_recording_alone(transcribe, bad: Path, name: str) -> None:
    """Of the cut FLAC, what could be read is text before it is an error."""
    done = transcribe(bad / name)
    assert done.returncode == 1
    assert set(done.stdout) <= (set("AB\n") if name == "audio-truncated.flac" else set())
    assert done.stderr.startswith(f"asr: error[{Path(name).stem}]: {bad / name}: ")
    assert done.stderr.count("\n") == 1


def test_what_is_good_of_damaged_recordings_is_kept_when_asked_for(transcribe, tmp_path: Path) -> None:
    """Alone, with -o, and in a batch; how much is missing is said each time, and the exit code is 0."""
    (tmp_path / "cut.wav").write_bytes(write(tmp_path / "whole.wav", "ABBA" * 5).read_bytes()[:-40_000])
    flac = bytearray(write(tmp_path / "flipped.flac", "ABBA" * 20).read_bytes())
    flac[len(flac) // 2] ^= 1
    (tmp_path / "flipped.flac").write_bytes(flac)
    alone = transcribe("cut.wav", "--salvage")
    assert (alone.returncode, alone.stdout[:4]) == (0, "ABBA")
    assert re.fullmatch(r"asr: warning: cut\.wav: 1\.25 of \d\.\d\d s are missing \(.*\)\n", alone.stderr)
    both = transcribe("cut.wav", "flipped.flac", "--salvage", "-o", "texts")
    assert both.returncode == 0 and both.stderr.count("asr: warning: ") == both.stderr.count(" s are missing ") == 2
    assert (tmp_path / "texts/cut.txt").read_text() == alone.stdout
    assert len((tmp_path / "texts/flipped.txt").read_text()) > 60
    refused = transcribe("cut.wav", "flipped.flac", "-o", "none")
    assert refused.returncode == 1 and refused.stderr.count("error[audio-truncated]") == 2
    assert refused.stderr.count("--salvage") == 2 and not list((tmp_path / "none").glob("*"))


def test_a_cut_pipe_gives_what_came_when_asked_for(transcribe, tmp_path: Path) -> None:
    data = write(tmp_path / "a.wav", "ABBA" * 5).read_bytes()[:-40_000]
    done = transcribe("-", "--salvage", input=data, text=False)
    assert (done.returncode, done.stdout[:4]) == (0, b"ABBA") and b"asr: warning: <stdin>: 1.25 of " in done.stderr


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


def test_an_empty_name_is_not_this_folder(transcribe, tmp_path: Path) -> None:
    write(tmp_path / "a.wav", "ABBA")
    write(tmp_path / "b.wav", "B")
    done = transcribe("", "a.wav")
    assert (done.returncode, done.stdout) == (1, "ABBA\n")
    assert done.stderr == "asr: error[audio-not-found]: '': an empty name; give a file or a folder, . for this one\n"


def test_a_file_that_may_not_be_read(bundle: Path, tmp_path: Path) -> None:
    """Permissions do not bind root, so nobody runs it; what is imported, which may lie where nobody reads, before."""
    path, other = write(tmp_path / "a.wav", "ABBA"), write(tmp_path / "b.wav", "B")
    for folder in [tmp_path, *tmp_path.parents][:4]:  # a worker of pytest-xdist has a folder of its own between
        os.chmod(folder, folder.stat().st_mode | 0o755)
    path.chmod(0)
    code = (
        "import os, sys; from asr.cli.main import main; main([*sys.argv[2:-1], sys.argv[1]]); "
        "os.geteuid() or os.seteuid(65534); sys.exit(main(sys.argv[2:]))"
    )
    command = [sys.executable, "-c", code, str(other), "transcribe", "--model", str(bundle), str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"asr: error[audio-permission]: {path}: no read permission; change its permissions")


def test_no_such_model(transcribe, tmp_path: Path) -> None:
    done = transcribe(write(tmp_path / "a.wav", "ABBA"), "--model", "nothing")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("asr: error[bundle-not-found]: no bundle 'nothing'")


WRONG = ["--batch_size 0", "--threads -1", "-f docx", "-f srt,docx", "-f srt,all", "--max_line_width 0", "--no-such"]


@pytest.mark.parametrize("flags", WRONG)
def test_a_wrong_command_line_is_2(transcribe, flags: str) -> None:
    done = transcribe("a.wav", *flags.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("asr transcribe: ") and done.stderr.count("\n") == 1


# While it comes


@pytest.fixture
def started(bundle: Path, path_to_loud: str, tmp_path: Path):
    """A process that is not waited for; the lines of its stdout come as it prints them."""
    running: list[subprocess.Popen] = []

    def start(*arguments: object, also: Path | None = None, **more: object) -> subprocess.Popen:
        command = [sys.executable, "-m", "asr", "transcribe", "--model", bundle, "--threads", "1", *arguments]
        options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more
        environment = os.environ | {"PYTHONPATH": path_to_loud if also is None else f"{also}:{path_to_loud}"}
        running.append(subprocess.Popen(list(map(str, command)), cwd=tmp_path, env=environment, **options))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def as_pcm(samples: np.ndarray) -> bytes:
    return (samples * 32767).astype("<i2").tobytes()


def pause(seconds: float, rate: int = 16_000) -> bytes:
    return bytes(2 * round(seconds * rate))


def test_what_is_said_into_a_pipe_is_text_before_the_pipe_ends(started) -> None:
    process = started("-", "--raw", "16000")
    process.stdin.write(as_pcm(speak("FACADE" * 5)) + pause(20))
    process.stdin.flush()
    assert process.stdout.readline() == b"FACADEFACADEFACADEFACADEFACADE\n"
    assert process.poll() is None
    out, err = process.communicate(as_pcm(speak("BAG BAG BAG BAG BAG BAG BAG")))
    assert (process.returncode, out, err) == (0, b"BAG BAG BAG BAG BAG BAG BAG\n", b"")


def test_a_command_said_into_a_pipe_is_text_while_the_next_is_awaited(started) -> None:
    """Of a second of speech and 0.8 s of silence, which is no chunk of the whole yet."""
    process = started("-", "--raw", "16000")
    process.stdin.write(as_pcm(speak("BAG ")) + pause(0.8))
    process.stdin.flush()
    assert process.stdout.readline() == b"BAG\n"
    process.stdin.write(as_pcm(speak("FACE")) + pause(0.8))
    process.stdin.flush()
    assert process.stdout.readline() == b"FACE\n"
    out, err = process.communicate(as_pcm(speak(" ABC")))
    assert (process.returncode, out, err) == (0, b"ABC\n", b"")


def test_lines_end_where_those_of_the_whole_do_in_a_file_and_on_request(transcribe, tmp_path: Path) -> None:
    samples = as_pcm(speak("BAG ")) + pause(0.8) + as_pcm(speak("FACE"))
    (tmp_path / "said.raw").write_bytes(samples)
    raw = ("-", "--raw", "16000")
    assert transcribe(*raw, input=samples, text=False).stdout == b"BAG\nFACE\n"
    assert transcribe(*raw, "--endpoint_silence", "none", input=samples, text=False).stdout == b"BAG FACE\n"
    with open(tmp_path / "said.raw", "rb") as file:
        assert transcribe(*raw, stdin=file).stdout == "BAG FACE\n"
    done = transcribe(*raw, "-f", "json", input=samples, text=False)
    assert [segment["text"] for segment in json.loads(done.stdout)["segments"]] == ["BAG FACE"]
    done = transcribe("-", "--endpoint_silence", "0.1", input="")
    wrong = "argument --endpoint_silence: seconds from 0.2 on, or none, are needed, got '0.1'"
    assert done.returncode == 2 and wrong in done.stderr


def test_ctrl_c_ends_a_pipe_with_what_was_said(started, tmp_path: Path) -> None:
    process = started("-", "--raw", "16000", "-o", "out", "-f", "all")
    wait = started("-", "--raw", "16000")
    for each in (process, wait):
        each.stdin.write(as_pcm(speak("FACADE" * 5)) + pause(20))
        each.stdin.flush()
    wait.stdout.readline()
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (130, b"asr: interrupted\n")
    assert (tmp_path / "out" / "stdin.txt").read_text() == "FACADE" * 5 + "\n"
    assert json.loads((tmp_path / "out" / "stdin.json").read_text())["segments"][0]["text"] == "FACADE" * 5


def test_raw_samples_are_of_stdin_and_of_the_rate_said(transcribe) -> None:
    done = transcribe("-", "--raw", "8000", input=as_pcm(speak("AC BA", 8_000)), text=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"AC BA\n", b"")
    done = transcribe("-", "--raw", "20", input=b"abcd", text=False)
    assert (done.returncode, done.stderr[:23]) == (1, b"asr: error[sample-rate]")


@pytest.mark.parametrize("arguments", [[], ["a.wav", "--mic"], ["a.wav", "--raw", "8000"], ["-", "-", "--raw", "8000"]])
def test_inputs_that_do_not_go_together_are_2(transcribe, arguments: list[str]) -> None:
    done = transcribe(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("asr transcribe: ")


def on_a_terminal(bundle: Path, tmp_path: Path, *arguments: str, data: bytes = b"") -> tuple[str, str]:
    """Its stdout, and what a terminal on stderr saw."""
    command = [sys.executable, "-m", "asr", "transcribe", *arguments, "--model", str(bundle)]
    terminal, its_end = os.openpty()
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm"}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=its_end
    )
    os.close(its_end)
    shown: list[bytes] = []
    watching = threading.Thread(target=lambda: shown.extend(_until_hung_up(terminal)))
    watching.start()
    out, _ = process.communicate(data, timeout=60)
    watching.join(timeout=10)
    os.close(terminal)
    assert process.returncode == 0
    return out.decode(), b"".join(shown).decode()


def _until_hung_up(terminal: int) -> Iterator[bytes]:
    """A terminal holds 4 KB that nobody reads; whoever writes more waits."""
    try:
        while data := os.read(terminal, 4096):
            yield data
    except OSError:  # how Linux says that the other end is closed
        return


def test_a_terminal_sees_what_is_said_until_it_is_decided(bundle: Path, tmp_path: Path) -> None:
    out, shown = on_a_terminal(bundle, tmp_path, "-", "--raw", "16000", data=as_pcm(speak("AB CD EF")))
    assert out == "AB CD EF\n"
    assert "\r\x1b[KAB" in shown and shown.endswith("\r\x1b[K")


def test_a_terminal_sees_how_long_a_long_recording_takes(bundle: Path, tmp_path: Path) -> None:
    write(tmp_path / "a.wav", "ABCDEFG " * 60)
    out, shown = on_a_terminal(bundle, tmp_path, "a.wav")
    assert set(out.split()) == {"ABCDEFG"}
    assert "transcribing" in shown and "100%" in shown


FAKE_SOUNDDEVICE = """
import threading, time
import numpy as np

class PortAudioError(Exception):
    pass

class InputStream:
    def __init__(self, samplerate, blocksize, channels, dtype, callback):
        if {fails}:
            raise PortAudioError("Error querying device -1")
        assert (channels, dtype) == (1, "float32")
        self.samples, self.size, self.callback = np.load({samples!r}), blocksize, callback
    def record(self):
        for at in range(0, len(self.samples), self.size):
            self.callback(self.samples[at : at + self.size, None], None, None, None)
    def __enter__(self):
        threading.Thread(target=self.record, daemon=True).start()
    def __exit__(self, *_):
        pass
"""


def fake_microphone(folder: Path, samples: np.ndarray, fails: bool = False) -> Path:
    (folder / "site").mkdir()
    np.save(folder / "said.npy", samples.astype(np.float32))
    module = FAKE_SOUNDDEVICE.format(fails=fails, samples=str(folder / "said.npy"))
    (folder / "site" / "sounddevice.py").write_text(module)
    return folder / "site"


def test_the_microphone_is_heard_until_ctrl_c(started, tmp_path: Path) -> None:
    said = np.concatenate([speak("FACADE" * 5), np.zeros(320_000), speak("BAG BAG")])
    process = started("--mic", also=fake_microphone(tmp_path, said))
    assert process.stdout.readline() == b"FACADEFACADEFACADEFACADEFACADE\n"
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, b"BAG BAG\n", b"asr: interrupted\n")


def test_no_microphone(started, tmp_path: Path) -> None:
    process = started("--mic", also=fake_microphone(tmp_path, np.zeros(1), fails=True))
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (1, b"")
    assert err.startswith(b"asr: error[audio]: microphone: Error querying device -1")


def test_without_sounddevice_the_extra_is_named(started, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sounddevice.py").write_text("raise ImportError('none')")
    process = started("--mic", also=tmp_path / "site")
    _, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert err == (f"asr: error[missing-extra]: --mic records by sounddevice; {install_command('mic')}\n".encode())


def test_ctrl_c_keeps_what_was_written(bundle: Path, tmp_path: Path) -> None:
    for i in range(400):
        write(tmp_path / "in" / f"{i:03}.wav", "ABCDEFG" * 4)
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
    assert set(written.values()) == {"ABCDEFG" * 4 + "\n"} and all(name.endswith(".txt") for name in written)


def test_without_the_training_libraries(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in {'tensorflow', 'keras', 'librosa', 'scipy', 'hydra', 'omegaconf', 'onnx'}:\n"
        "            raise ImportError(name + ' is not for transcription')\n"
        "sys.meta_path.insert(0, Refuse())\n" + LOUD_IS_SPEECH
    )
    environment = os.environ | {"PYTHONPATH": f"{tmp_path / 'site'}:{Path(__file__).parents[2]}"}
    path = write(tmp_path / "a.wav", "ABBA")
    command = [sys.executable, "-m", "asr", "transcribe", str(path), "--model", str(bundle)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ABBA\n", "")
    command = [sys.executable, "-c", "import librosa"]
    assert subprocess.run(command, env=environment, capture_output=True).returncode == 1
