"""kill -9 at any moment costs the steps since the last checkpoint, and not one bit of the result."""

from __future__ import annotations

import random
import runpy
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from asr.cli.train import run_configured
from asr.training.checkpoint import load_arrays, load_checkpoint

PROGRAM = Path(__file__).with_name("killed_run.py")


def steps_before_kill(corpus: Path, folder: Path, steps: int, delay_s: float) -> list[int]:
    """Start or resume the run, and kill it ``delay_s`` after so many of its steps; the steps it said."""
    command = [sys.executable, str(PROGRAM), str(corpus), str(folder)]
    said = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith("step"):
                said.append(int(line.split()[1]))
            if len(said) == steps:
                time.sleep(delay_s)
                process.kill()
                break
        said += [int(line.split()[1]) for line in process.stdout if line.startswith("step")]
    assert process.returncode == -9
    return said


def test_three_kills_at_random_moments_leave_no_trace(corpus: Path, tmp_path: Path) -> None:
    draw = random.Random(7)
    done = 0
    for _ in range(3):
        said = steps_before_kill(corpus, tmp_path / "killed", draw.randint(1, 3), draw.uniform(0, 0.02))
        assert said[0] == done + 1
        checkpoint = load_checkpoint(tmp_path / "killed" / "checkpoints")
        done = checkpoint.state["total_steps"] if checkpoint else 0
        assert done in (said[-1], said[-1] - 1)
    for name in ("killed", "whole"):
        run_configured(tmp_path / name, runpy.run_path(str(PROGRAM))["tree"](corpus, tmp_path / name), [])
    killed, whole = (load_arrays(tmp_path / name / "final.npz") for name in ("killed", "whole"))
    assert killed.keys() == whole.keys()
    assert all(np.array_equal(killed[name], whole[name]) for name in whole)
