"""Trains on a small disk that fills up, and goes on after room was made; test_full_disk.py mounts the disk.

python full_disk.py DISK TREE.json FINAL.npz
"""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from asr.cli.train import run_configured
from asr.errors import CheckpointError
from asr.training.checkpoint import load_checkpoint

FOR_SETUP = 16 * 1024
"""What the folder's other files need while they are written anew."""


def fill(disk: Path, left: int) -> Path:
    """Write a file that leaves so many bytes."""
    filler = disk / "filler"
    with open(filler, "wb") as file:
        room = os.statvfs(disk)
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - left)
    return filler


def steps(run_dir: Path) -> int:
    checkpoint = load_checkpoint(run_dir / "checkpoints")
    assert checkpoint
    return checkpoint.state["total_steps"]


def main(disk: Path, tree: dict, final: Path) -> None:
    run_dir = Path(tree["run_dir"])
    one_step = tree | {"trainer": tree["trainer"] | {"max_minutes": 0}}
    assert run_configured(run_dir, one_step, []) == "minutes"
    size = (run_dir / "checkpoints" / "000001.npz").stat().st_size
    for left, message in ((0, "No space left"), (max(size // 2, FOR_SETUP), "npz cannot be written .No space")):
        filler = fill(disk, left)
        with pytest.raises(CheckpointError, match=message):
            run_configured(run_dir, tree, [])
        assert steps(run_dir) == 1
        filler.unlink()
    assert run_configured(run_dir, tree, []) == "epochs"
    shutil.copy(run_dir / "final.npz", final)


if __name__ == "__main__":
    disk, tree, final = map(Path, sys.argv[1:])
    main(disk, json.loads(tree.read_text()), final)
