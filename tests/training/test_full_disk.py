"""Where a disk is full, the last checkpoint stays good, and training goes on from it when there is room."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from asr.cli.train import run_configured
from asr.errors import CheckpointError
from asr.training.checkpoint import load_arrays, load_checkpoint
from asr.training.run_folder import room_needed

PROGRAM = Path(__file__).with_name("full_disk.py")
MOUNTED = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", 'mount -t tmpfs -o size=1m none "$0" && "$@"']
"""A shell command with a disk of 1 MB of its own, at the folder that comes first."""


def can_mount(folder: Path) -> bool:
    return (
        bool(shutil.which("unshare"))
        and subprocess.run([*MOUNTED, str(folder), "true"], stderr=subprocess.DEVNULL).returncode == 0
    )


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let this process write no file larger than ``size`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="module")
def whole(tones: SimpleNamespace, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The weights of a run that nothing stopped."""
    folder = tmp_path_factory.mktemp("whole")
    run_configured(folder, tones.tree(corpus, folder), [])
    return folder / "final.npz"


def same(one: Path, other: Path) -> bool:
    a, b = load_arrays(one), load_arrays(other)
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def test_a_checkpoint_one_byte_too_large_leaves_the_one_before(
    tones: SimpleNamespace, corpus: Path, whole: Path, tmp_path: Path
) -> None:
    tree, one_step = tones.tree(corpus, tmp_path), tones.tree(corpus, tmp_path, trainer={"max_minutes": 0})
    run_configured(tmp_path, one_step, [])
    size = (tmp_path / "checkpoints" / "000001.npz").stat().st_size
    with largest_file(size - 1), pytest.raises(CheckpointError, match="000002.npz cannot be written .*make room"):
        run_configured(tmp_path, one_step, [])
    checkpoint = load_checkpoint(tmp_path / "checkpoints")
    assert checkpoint and checkpoint.state["total_steps"] == 1
    run_configured(tmp_path, tree, [])
    assert same(tmp_path / "final.npz", whole)


def test_a_disk_without_a_byte_and_one_with_too_few_leave_the_one_before(
    tones: SimpleNamespace, corpus: Path, whole: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if not can_mount(disk):
        pytest.skip("this system lets no process mount a disk of its own (unshare --user --mount)")
    (tmp_path / "tree.json").write_text(json.dumps(tones.tree(corpus, disk / "run")))
    files = [str(disk), sys.executable, str(PROGRAM), str(disk), str(tmp_path / "tree.json"), str(tmp_path / "w.npz")]
    done = subprocess.run([*MOUNTED, *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert same(tmp_path / "w.npz", whole)


def test_other_faults_of_the_system_are_not_called_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), room_needed(tmp_path):
        (tmp_path / "missing").read_text()
