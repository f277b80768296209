"""The log of a training: a JSON line for each epoch, and TensorBoard events."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import tensorflow as tf

from asr.training.reports import EpochReport, StepReport


class EventLog:
    """An observer that writes a JSON line per epoch to ``log.jsonl``, and TensorBoard events of every step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def writer(self) -> tf.summary.SummaryWriter:
        """The writer of events, made at the first one: TensorFlow must not start before the workers are joined."""
        return tf.summary.create_file_writer(str(self.folder / "events"))

    def on_step(self, report: StepReport) -> None:
        """Write loss, gradient norm, learning rate and speed as scalars."""
        self._scalars(report, report.total_steps, "train", ("loss", "gradient_norm", "learning_rate", "audio_s_per_s"))

    def on_epoch(self, report: EpochReport) -> None:
        """Write dev WER and CER, wait for data and number of graphs as scalars, and the JSON line."""
        self._scalars(report, report.total_steps, "train", ("waiting", "traces"))
        if report.dev:
            self._scalars(report.dev, report.total_steps, "dev", ("wer", "cer"))
        self.writer.flush()
        with open(self.folder / "log.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps({"time": time.time(), **asdict(report)}, ensure_ascii=False) + "\n")

    def _scalars(self, report: object, step: int, group: str, names: Sequence[str]) -> None:
        with self.writer.as_default():
            for name in names:
                tf.summary.scalar(f"{group}/{name}", getattr(report, name), step=step)
