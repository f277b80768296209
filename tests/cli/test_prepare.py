"""``asr prepare`` as typed."""

from __future__ import annotations

import http.server
import io
import json
import subprocess
import sys
import tarfile
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.cli.main import main


@pytest.fixture
def digits(tmp_path) -> Path:
    recordings = tmp_path / "free-spoken-digit-dataset-1.0.10/recordings"
    recordings.mkdir(parents=True)
    for name in ("0_anna_0", "1_ben_0"):
        soundfile.write(recordings / f"{name}.wav", np.zeros(4000, np.float32), 8000)
    (recordings / "2_ben_0.wav").touch()
    return recordings.parent


@pytest.fixture
def mirror(digits, tmp_path):
    """A server with the digits packed as GitHub packs them."""
    served = tmp_path / "served"
    served.mkdir()
    with tarfile.open(served / "v1.0.10.tar.gz", "w:gz") as archive:
        archive.add(digits, digits.name)
    handler = partial(_Quiet, directory=served)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


def test_the_summary_is_plain_text_where_no_terminal_is(digits, tmp_path, capsys):
    assert main(["prepare", "fsdd", str(digits), "-o", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out == (
        "manifest   utterances  hours  speakers  dropped\n"
        "all.jsonl           2   0.00         2        1\n"
        "all.jsonl: dropped 1 empty recording: 2_ben_0\n"
        f"written to {tmp_path}/out; every dropped id is in {tmp_path}/out/summary.json\n"
    )
    assert json.loads((tmp_path / "out/summary.json").read_text())["manifests"][0]["utterances"] == 2


def test_long_lists_of_drops_are_cut_on_screen_and_whole_in_the_file(digits, tmp_path, capsys):
    for number in range(3, 9):
        (digits / f"recordings/{number}_ben_0.wav").touch()
    main(["prepare", "fsdd", str(digits), "-o", str(tmp_path / "out")])
    assert "dropped 7 empty recording: 2_ben_0, 3_ben_0, 4_ben_0, 5_ben_0, 6_ben_0, …\n" in capsys.readouterr().out
    written = json.loads((tmp_path / "out/summary.json").read_text())
    assert len(written["manifests"][0]["dropped"]["empty recording"]) == 7


def test_the_summary_is_a_table_on_a_terminal(digits, tmp_path, capsys, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("TERM", "xterm")
    assert main(["prepare", "fsdd", str(digits), "-o", str(tmp_path / "out")]) == 0
    assert "│ all.jsonl │" in screen.getvalue()


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["fsd", "."], "asr: error[corpus]: no importer is named 'fsd'; did you mean fsdd?"),
        (["fsd", ".", "--download"], "asr: error[corpus]: no importer is named 'fsd'; did you mean fsdd?"),
        (["common_voice", ".", "--download"], "asr: error[download]: Common Voice is given out to named people"),
        (["librispeech", ".", "--download"], "asr: error[download]: librispeech comes in parts"),
        (["an4", ".", "--part", "an4"], "asr: error[download]: --part and --mirror say what to download"),
        (["an4", "nowhere"], "asr: error[corpus]: "),
    ],
)
def test_mistakes_are_one_line(tmp_path, capsys, monkeypatch, words, error):
    monkeypatch.chdir(tmp_path)
    assert main(["prepare", *words]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith(error) and shown.count("\n") == 1


def test_download_unpack_and_prepare_in_one_command(mirror, tmp_path, capsys):
    command = ["prepare", "fsdd", str(tmp_path / "data"), "--download", "--mirror", mirror, "-o", str(tmp_path / "out")]
    assert main(command) == 0
    shown = capsys.readouterr()
    assert "sha256" in shown.err and "no checksum is published: trusted as first downloaded" in shown.err
    assert (tmp_path / "out/all.jsonl").is_file()
    assert main(command) == 0


def test_help_names_the_corpora_and_is_quick():
    started = time.perf_counter()
    program = "import sys; from asr.cli.main import main; main(['prepare', '--help']); print(sorted(sys.modules))"
    command = [sys.executable, "-c", program]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert time.perf_counter() - started < 1.0
    assert "common_voice" in shown and "--download" in shown
    assert not any(f"'{name}'" in shown for name in ("numpy", "soundfile", "pooch", "rich", "asr.data"))
