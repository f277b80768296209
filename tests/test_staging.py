"""What killed commands left behind goes at the next call; what live ones hold stays; a moved folder comes back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from asr.staging import recover_folder, replace_folder, sweep, temporary_file, temporary_folder

HOLD = """
import sys, time
from pathlib import Path
from asr.staging import temporary_file, temporary_folder
with {kind}(Path(sys.argv[1])) as made:
    print(made, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def every_process_sweeps_anew() -> None:
    sweep.cache_clear()


@pytest.mark.parametrize("kind", ["temporary_file", "temporary_folder"])
def test_a_dead_process_leaves_a_name_that_is_swept_and_a_live_one_keeps_its_own(kind: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD.format(kind=kind), str(tmp_path / "x")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        made = Path(holder.stdout.readline().strip())
        assert made.name.startswith(".x.") and made.parent == tmp_path
        sweep(tmp_path)
        assert made.exists()
        holder.send_signal(signal.SIGKILL)
    assert made.exists()
    sweep.cache_clear()
    with temporary_file(tmp_path / "y") as own:
        assert list(tmp_path.iterdir()) == [own]
    assert not list(tmp_path.iterdir())


def test_names_of_others_are_not_swept(tmp_path: Path) -> None:
    for name in (".x.abc.tmp", "x.asr-tmp", ".notes"):
        (tmp_path / name).write_text("mine")
    (tmp_path / ".link.asr-tmp").symlink_to(tmp_path / ".notes")
    sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


def test_the_longest_name_that_a_file_can_have_has_a_temporary_one_too(tmp_path: Path) -> None:
    with temporary_file(tmp_path / ("ä" * 127)) as made:
        assert made.exists()


def whole(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "a").write_text(text)
    return folder


def test_a_full_folder_is_replaced(tmp_path: Path) -> None:
    replace_folder(whole(tmp_path / "new", "new"), whole(tmp_path / "b", "old"))
    assert [p.name for p in tmp_path.iterdir()] == ["b"]
    assert (tmp_path / "b" / "a").read_text() == "new"


def test_a_kill_between_the_two_renames_is_mended_by_whoever_looks_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole(tmp_path / "b", "old")
    real, calls = os.rename, []

    def fail_the_second(*names: object) -> None:
        calls.append(names)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(*names)

    monkeypatch.setattr(os, "rename", fail_the_second)
    with temporary_folder(tmp_path / "b") as new, pytest.raises(KeyboardInterrupt):
        (new / "a").write_text("new")
        replace_folder(new, tmp_path / "b")
    assert not (tmp_path / "b").exists()
    monkeypatch.undo()
    recover_folder(tmp_path / "b")
    assert (tmp_path / "b" / "a").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["b"]
