"""One process at a time trains in a folder, and a killed one does not stand in the way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from asr.cli.train import run_configured
from asr.errors import ConfigError
from asr.training.run_folder import held

HOLDER = """
import pathlib, sys
from asr.training.run_folder import held
with held(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen]:
    """Another process, which holds the folder ``run``."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "run")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_process_is_refused_and_told_who_holds_the_folder(other: subprocess.Popen, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=rf"^process {other.pid} on \S+ is training in \S+/run; let it end"):
        with held(tmp_path / "run"):
            pass


def test_a_refused_training_changes_nothing(
    other: subprocess.Popen, tones: SimpleNamespace, corpus: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="is training in"):
        run_configured(tmp_path / "run", tones.tree(corpus, tmp_path / "run"), [])
    assert [p.name for p in (tmp_path / "run").iterdir()] == [".lock"]


def test_another_folder_is_free(other: subprocess.Popen, tmp_path: Path) -> None:
    with held(tmp_path / "another"):
        pass


def test_a_killed_process_lets_go(other: subprocess.Popen, tmp_path: Path) -> None:
    other.kill()
    other.wait()
    with held(tmp_path / "run"):
        pass


def test_it_is_let_go_at_the_end_even_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), held(tmp_path):
        raise RuntimeError
    with held(tmp_path):
        pass


def test_what_a_killed_process_half_wrote_goes_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    whole = [tmp_path / "weights" / "0001.npz", tmp_path / "config.json", tmp_path / ".notes"]
    torn = [tmp_path / "weights" / ".0002.npz.k2x_8a1q.asr-tmp", tmp_path / ".final.json.0ab3_xyz.asr-tmp"]
    for path in [*whole, *torn]:
        path.write_bytes(b"")
    with held(tmp_path):
        assert sorted(p for p in tmp_path.rglob("*") if p.is_file() and p.name != ".lock") == sorted(whole)
