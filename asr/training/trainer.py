"""The training loop: epochs of steps, a dev evaluation after each, checkpoints so that nothing is lost."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from asr.errors import ConfigError, TrainingError
from asr.models import AcousticModel
from asr.text import Vocabulary
from asr.training.checkpoint import Checkpoint, load_arrays, load_checkpoint, mean_of, save_arrays, save_checkpoint
from asr.training.ctc import ctc_loss
from asr.training.dataset import Batch, Example, TrainingSet
from asr.training.evaluate import DevScore, score

FINAL = "final.npz"


@dataclass(frozen=True)
class TrainerOptions:
    """When to stop, when to save, what to keep.

    Attributes:
        epochs: passes over the training set at most; the learning rate's schedule spans them.
        max_minutes: wall time of this call at most, None for no limit; the same command goes on later.
        clip_norm: gradients are scaled down to this global norm.
        patience: epochs without a better dev WER before stopping, None to never.
        average: how many epochs' weights are averaged at the end.
        average_of: ``best`` by dev WER, or ``last``.
        checkpoint_minutes: between checkpoints inside an epoch; each epoch ends with one as well.
        seed: of weights, dropout, order and augmentation.
    """

    epochs: int
    max_minutes: float | None = None
    clip_norm: float = 1.0
    patience: int | None = None
    average: int = 1
    average_of: str = "best"
    checkpoint_minutes: float = 10.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse a choice there is none of."""
        if self.average_of not in ("best", "last"):
            raise ConfigError(f"trainer.average_of is best or last, got {self.average_of!r}")


@dataclass(frozen=True)
class OptimizerOptions:
    """AdamW (Loshchilov & Hutter 2019) with linear warm-up and cosine decay to zero.

    Attributes:
        learning_rate: the peak.
        warmup: share of all steps before the peak.
        weight_decay: per step, times the learning rate.
    """

    learning_rate: float
    warmup: float = 0.05
    weight_decay: float = 0.01

    def at(self, progress: float) -> float:
        """Learning rate after a fraction ``progress`` of training.

        >>> [round(OptimizerOptions(1.0, warmup=0.2).at(p), 2) for p in (0, 0.1, 0.2, 0.6, 1)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
        """
        if progress < self.warmup:
            return self.learning_rate * progress / self.warmup
        return self.learning_rate * 0.5 * (1 + float(np.cos(np.pi * (progress - self.warmup) / (1 - self.warmup))))


@dataclass
class Position:
    """Where training stands; stored in each checkpoint.

    Attributes:
        epoch: the epoch under way, from 0.
        step: the next step of it.
        total_steps: steps since the start.
        seconds: wall time so far, over all calls.
        history: a row for each epoch done.
    """

    epoch: int = 0
    step: int = 0
    total_steps: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class StepReport:
    """What one step showed: mean loss an utterance, gradient norm before clipping, seconds of audio a second."""

    epoch: int
    epochs: int
    step: int
    steps: int
    total_steps: int
    loss: float
    gradient_norm: float
    learning_rate: float
    audio_s_per_s: float
    seconds_left: float


@dataclass(frozen=True)
class EpochReport:
    """What one epoch showed."""

    epoch: int
    epochs: int
    total_steps: int
    loss: float
    seconds: float
    audio_s_per_s: float
    dev: DevScore | None


class Observer(Protocol):
    """Who is told: a display, a log of events."""

    def on_step(self, report: StepReport) -> None:
        """After each step."""

    def on_epoch(self, report: EpochReport) -> None:
        """After each epoch."""


class Trainer:
    """Trains ``model`` in ``folder``, from the newest checkpoint there if there is one."""

    def __init__(
        self,
        model: AcousticModel,
        training_set: TrainingSet,
        dev: Sequence[Example],
        vocabulary: Vocabulary,
        folder: Path,
        *,
        options: TrainerOptions,
        optimizer: OptimizerOptions,
        observers: Sequence[Observer] = (),
    ) -> None:
        self.model, self.training_set, self.dev, self.vocabulary = model, training_set, dev, vocabulary
        self.folder, self.options, self.schedule, self.observers = folder, options, optimizer, observers
        self.optimizer = keras.optimizers.AdamW(0.0, weight_decay=optimizer.weight_decay)
        self.optimizer.build(model.trainable_variables)
        self.position = Position()
        if checkpoint := load_checkpoint(self._checkpoints):
            _assign(self._state_variables(), checkpoint.arrays)
            self.position = Position(**checkpoint.state)
        self._step = tf.function(self._train_step, reduce_retracing=True)

    @property
    def _checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    def fit(self) -> str:
        """Train until ``epochs``, ``patience`` or ``minutes`` end it; returns which.

        An interrupt (Ctrl-C) saves a checkpoint and goes on upwards.

        Raises:
            TrainingError: the loss is not finite.
        """
        started, before = time.monotonic(), self.position.seconds
        try:
            reason = self._epochs(started, before)
        except KeyboardInterrupt:
            self._save(before + time.monotonic() - started)
            raise
        self._save(before + time.monotonic() - started)
        if reason != "minutes":
            self._finish()
        return reason

    def _epochs(self, started: float, before: float) -> str:
        while self.position.epoch < self.options.epochs:
            if self._out_of_patience():
                return "patience"
            if not self._epoch(started, before):
                return "minutes"
        return "epochs"

    def _epoch(self, started: float, before: float) -> bool:
        """Train the rest of the epoch under way; False when the minutes ended first."""
        position, losses, audio_s = self.position, [], 0.0
        steps = len(self.training_set.order(position.epoch))
        start, last_save, first_step = time.monotonic(), time.monotonic(), position.step
        for batch in self.training_set.batches(position.epoch, position.step):
            loss, norm, rate = self._one_step(batch, steps)
            losses.append(loss)
            audio_s += batch.audio_s
            position.step += 1
            position.total_steps += 1
            now = time.monotonic()
            done = position.epoch + position.step / steps
            begun = position.epoch + first_step / steps
            left = (now - start) / max(done - begun, 1e-9) * (self.options.epochs - done)
            report = StepReport(
                position.epoch + 1, self.options.epochs, position.step, steps, position.total_steps,
                loss, norm, rate, audio_s / (now - start), left,
            )  # fmt: skip
            for observer in self.observers:
                observer.on_step(report)
            if self.options.max_minutes is not None and now - started > 60 * self.options.max_minutes:
                return False
            if now - last_save > 60 * self.options.checkpoint_minutes:
                self._save(before + now - started)
                last_save = now
        self._end_epoch(float(np.mean(losses)) if losses else float("nan"), audio_s, start)
        self._save(before + time.monotonic() - started)
        return True

    def _one_step(self, batch: Batch, steps: int) -> tuple[float, float, float]:
        position = self.position
        rate = self.schedule.at((position.epoch + (position.step + 1) / steps) / self.options.epochs)
        self.optimizer.learning_rate.assign(rate)
        tensors = [batch.features, batch.feature_lengths, batch.labels, batch.label_lengths]
        loss, norm = (float(x) for x in self._step(*map(tf.convert_to_tensor, tensors)))
        if not np.isfinite(loss) or not np.isfinite(norm):
            raise TrainingError(
                f"epoch {position.epoch + 1}, step {position.step + 1}: loss {loss}, gradient norm {norm}; "
                "lower optimizer.learning_rate or trainer.clip_norm (the last checkpoint is good)"
            )
        return loss, norm, rate

    def _train_step(self, features: Any, feature_lengths: Any, labels: Any, label_lengths: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            logits = self.model(features, lengths=feature_lengths, training=True)
            losses = ctc_loss(logits, self.model.output_lengths(feature_lengths), labels, label_lengths)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, self.model.trainable_variables)
        gradients, norm = tf.clip_by_global_norm(gradients, self.options.clip_norm)
        self.optimizer.apply(gradients, self.model.trainable_variables)
        return loss, norm

    def _end_epoch(self, loss: float, audio_s: float, start: float) -> None:
        position = self.position
        seconds = time.monotonic() - start
        dev = score(self.model, self.dev, self.vocabulary) if self.dev else None
        row = {"epoch": position.epoch, "loss": loss, "wer": dev.wer if dev else None, "cer": dev.cer if dev else None}
        position.history.append(row)
        position.epoch, position.step = position.epoch + 1, 0
        save_arrays(self._weights(row["epoch"]), _arrays(self.model.variables))
        for epoch in {r["epoch"] for r in position.history} - set(self._to_average()):
            self._weights(epoch).unlink(missing_ok=True)
        report = EpochReport(
            position.epoch, self.options.epochs, position.total_steps, loss, seconds, audio_s / seconds, dev
        )
        for observer in self.observers:
            observer.on_epoch(report)

    def _weights(self, epoch: int) -> Path:
        return self.folder / "weights" / f"{epoch:04}.npz"

    def _to_average(self) -> list[int]:
        """The epochs whose weights are kept, the best or the last first."""
        rows = self.position.history[::-1]
        if self.options.average_of == "best" and self.dev:
            rows = sorted(rows, key=lambda r: (r["wer"], r["cer"]))
        return [r["epoch"] for r in rows[: self.options.average]]

    def _out_of_patience(self) -> bool:
        history = self.position.history
        if self.options.patience is None or not self.dev or not history:
            return False
        best = min(history, key=lambda r: (r["wer"], r["cer"]))
        return history[-1]["epoch"] - best["epoch"] >= self.options.patience

    def _finish(self) -> None:
        """Average; keep the average, or the first of its parts if that is better on dev."""
        epochs = self._to_average()
        candidates = [[self._weights(e) for e in epochs]]
        if self.dev and len(epochs) > 1:
            candidates.append(candidates[0][:1])
        scored = []
        for paths in candidates:
            arrays = mean_of(paths) if len(paths) > 1 else load_arrays(paths[0])
            _assign(_named(self.model.variables), arrays)
            dev = score(self.model, self.dev, self.vocabulary) if self.dev else None
            scored.append((dev.wer if dev else 0.0, dev.cer if dev else 0.0, len(scored), arrays, dev))
        _, _, chosen, arrays, dev = min(scored, key=lambda s: s[:3])
        _assign(_named(self.model.variables), arrays)
        digest = save_arrays(self.folder / FINAL, arrays)
        summary = {
            "sha256": digest,
            "averaged_epochs": [int(p.stem) + 1 for p in candidates[chosen]],
            "epochs": self.position.epoch,
            "seconds": self.position.seconds,
            "dev": asdict(dev) if dev else None,
        }
        path = self.folder / "final.json"
        path.write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def _save(self, seconds: float) -> None:
        self.position.seconds = seconds
        arrays = _arrays(self._state_variables().values())
        checkpoint = Checkpoint(
            {n: a for n, a in zip(self._state_variables(), arrays.values(), strict=True)}, asdict(self.position)
        )
        save_checkpoint(self._checkpoints, self.position.total_steps, checkpoint)

    def _state_variables(self) -> dict[str, Any]:
        own = {f"model/{n}": v for n, v in _named(self.model.variables).items()}
        return own | {f"optimizer/{n}": v for n, v in _named(self.optimizer.variables).items()}


def _named(variables: Sequence[Any]) -> dict[str, Any]:
    """Variables by their place: Keras' own paths count the models made in this process, so they are no names."""
    return {f"{i:03}": v for i, v in enumerate(variables)}


def _arrays(variables: Any) -> dict[str, np.ndarray]:
    return {n: np.asarray(v) for n, v in _named(list(variables)).items()}


def _assign(variables: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    if set(variables) != set(arrays):
        raise TrainingError("the checkpoint is of another model; name another run_dir")
    for name, variable in variables.items():
        variable.assign(arrays[name])
