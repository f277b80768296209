"""kill -9 at any moment costs the steps since the last checkpoint, and not one bit of the result.

``pytest tests/training/test_kill.py --kills 100 --kill-seed 1`` kills more often, at other moments.
"""

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
TREE = runpy.run_path(str(PROGRAM))["tree"]
MOST_STEPS = 3
"""Taken before a kill; an epoch has as many, so that as many epochs as kills outlast them."""


def lines_until_kill(command: list[str], event: str, count: int, delay_s: float) -> list[str]:
    """Start or resume the run, and kill it ``delay_s`` after it has said ``event`` so often; all that it said."""
    said, left = [], count
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            said.append(line)
            left -= line.startswith(event)
            if not left:
                time.sleep(delay_s)
                process.kill()
                break
        said += process.stdout
    assert process.returncode == -9
    return said


def after_a_step(draw: random.Random) -> tuple[str, int, float]:
    """Any moment of what follows: a checkpoint, the next step, a judgement."""
    return "step", draw.randint(1, MOST_STEPS), draw.uniform(0, 0.1)


def within_a_checkpoint(draw: random.Random) -> tuple[str, int, float]:
    """Before or after the renaming of its arrays, or of their index: four moments a step."""
    return "writing checkpoints", draw.randint(1, 4 * MOST_STEPS), 0.0


def within_any_write(draw: random.Random) -> tuple[str, int, float]:
    """That of the run's set-up too, which takes ten."""
    return "writing", draw.randint(1, 10 + 4 * MOST_STEPS), 0.0


def test_kills_leave_no_trace(corpus: Path, tmp_path: Path, kills: int, kill_seed: int) -> None:
    draw, done, epochs = random.Random(kill_seed), 0, kills + 2
    moments = (within_a_checkpoint, after_a_step, within_any_write)
    command = [sys.executable, str(PROGRAM), str(corpus), str(tmp_path / "killed"), str(epochs)]
    for number in range(kills):
        said = lines_until_kill(command, *moments[number % len(moments)](draw))
        steps = [int(line.split()[1]) for line in said if line.startswith("step")]
        assert not steps or steps[0] == done + 1
        checkpoint = load_checkpoint(tmp_path / "killed" / "checkpoints")
        done = checkpoint.state["total_steps"] if checkpoint else 0
        assert not steps or done in (steps[-1], steps[-1] - 1)
    for name in ("killed", "whole"):
        run_configured(tmp_path / name, TREE(corpus, tmp_path / name, epochs), [])
    killed, whole = (load_arrays(tmp_path / name / "final.npz") for name in ("killed", "whole"))
    assert killed.keys() == whole.keys()
    assert all(np.array_equal(killed[name], whole[name]) for name in whole)
    assert not [p for p in (tmp_path / "killed").rglob(".*") if p.name != ".lock"]
