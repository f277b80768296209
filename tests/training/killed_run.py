"""Trains on the tones of one folder in another, saying each step; test_kill.py runs and kills it.

python killed_run.py CORPUS RUN_DIR
"""

import runpy
import sys
from pathlib import Path

from asr.cli.train import run_configured

tones = runpy.run_path(str(Path(__file__).with_name("tones.py")))


class Voice:
    def on_step(self, report) -> None:
        print("step", report.total_steps, flush=True)

    def on_epoch(self, report) -> None:
        print("epoch", report.epoch, flush=True)


def tree(corpus: Path, run_dir: Path) -> dict:
    """Checkpoints after every step, so that kills meet the writing of many."""
    trainer = {"epochs": 12, "average": 2, "checkpoint_minutes": 0}
    return tones["tree"](corpus, run_dir, trainer=trainer)


if __name__ == "__main__":
    corpus, run_dir = map(Path, sys.argv[1:])
    run_configured(run_dir, tree(corpus, run_dir), [Voice()])
