"""Trains on the tones of one folder in another, saying each step; test_kill.py runs and kills it.

python killed_run.py CORPUS RUN_DIR EPOCHS

Before each sync, of which writing a file has two, it says so and waits: a kill on hearing it meets a half-done write.
"""

import runpy
import sys
import time
from collections.abc import Callable
from pathlib import Path

from asr import files
from asr.cli.train import run_configured

tones = runpy.run_path(str(Path(__file__).with_name("tones.py")))
WAIT_S = 0.02


class Voice:
    def on_step(self, report) -> None:
        print("step", report.total_steps, flush=True)

    def on_epoch(self, report) -> None:
        print("epoch", report.epoch, flush=True)


def tree(corpus: Path, run_dir: Path, epochs: int) -> dict:
    """Checkpoints after every step, so that kills meet the writing of many."""
    trainer = {"epochs": epochs, "average": 2, "checkpoint_minutes": 0}
    return tones["tree"](corpus, run_dir, trainer=trainer)


def announced(sync: Callable[[Path], None], run_dir: Path) -> Callable[[Path], None]:
    def slow(path: Path) -> None:
        print("writing", path.relative_to(run_dir), flush=True)
        time.sleep(WAIT_S)
        sync(path)

    return slow


if __name__ == "__main__":
    corpus, run_dir = map(Path, sys.argv[1:3])
    files.sync = announced(files.sync, run_dir)
    run_configured(run_dir, tree(corpus, run_dir, int(sys.argv[3])), [Voice()])
