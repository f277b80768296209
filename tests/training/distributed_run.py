"""Trains on the tones as one of several replicas; test_distribution.py runs it, and kills it.

python distributed_run.py CORPUS RUN_DIR STRATEGY [SETTING=VALUE …]   (of the trainer; multi_worker reads TF_CONFIG)

Says a line of JSON for each batch's rows that it prepares, each step and each epoch.
"""

import json
import runpy
import sys
from pathlib import Path

from asr.cli.train import run_configured
from asr.errors import AsrError
from asr.training import dataset

tones = runpy.run_path(str(Path(__file__).with_name("tones.py")))


def say(**what) -> None:
    print(json.dumps(what) + "\n", end="", flush=True)  # in one piece: batches are prepared on another thread


class Voice:
    def on_step(self, report) -> None:
        say(step=report.total_steps, loss=report.loss, norm=report.gradient_norm)

    def on_epoch(self, report) -> None:
        say(epoch=report.epoch, traces=report.traces, wer=report.dev.wer, cer=report.dev.cer)


def tree(corpus: Path, run_dir: Path, **trainer) -> dict:
    """No dropout, whose draws depend on the replica; odd rows to a batch; checkpoints after every step."""
    trainer = {"epochs": 3, "average": 2, "checkpoint_minutes": 0} | trainer
    return tones["tree"](corpus, run_dir, model={"dropout": 0.0}, trainer=trainer)


def say_rows(collate):
    def said(examples):
        say(rows=[e.utterance.id for e in examples])
        return collate(examples)

    return said


if __name__ == "__main__":
    corpus, run_dir, strategy = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    settings = {"strategy": strategy} | {k: json.loads(v) for k, v in (pair.split("=") for pair in sys.argv[4:])}
    dataset.collate, dataset._THREADS = say_rows(dataset.collate), 1  # rows are said in the order of batches
    if strategy == "mirrored":
        import tensorflow as tf

        cpus = tf.config.list_physical_devices("CPU")
        tf.config.set_logical_device_configuration(cpus[0], [tf.config.LogicalDeviceConfiguration()] * 2)
    try:
        run_configured(run_dir, tree(corpus, run_dir, **settings), [Voice()])
    except AsrError as fault:
        sys.exit(f"asr: error[{fault.code}]: {fault}")
