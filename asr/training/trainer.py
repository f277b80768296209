"""The training loop: epochs of steps, a dev evaluation after each, checkpoints so that nothing is lost."""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from asr.errors import CheckpointError, TrainingError
from asr.files import write_json
from asr.models import AcousticModel
from asr.options import OptimizerOptions, TrainerOptions
from asr.text import Vocabulary
from asr.training.average import mean_of
from asr.training.checkpoint import FINAL, Checkpoint, load_checkpoint, save_arrays, save_checkpoint
from asr.training.dataset import Batch, Example, TrainingSet
from asr.training.distribution import Devices
from asr.training.evaluate import DevScore, score
from asr.training.interruption import Interruption
from asr.training.reports import EpochReport, Observer, StepReport
from asr.training.setup import assign, named
from asr.training.step import TrainStep
from asr.training.tensor import Variable


@dataclass
class Position:
    """The progress of training, stored in each checkpoint.

    Attributes:
        epoch: the epoch under way, from 0.
        step: the next step of it.
        total_steps: steps since the start.
        seconds: wall time of training so far, over all calls.
        epoch_began_s: ``seconds`` when the epoch under way began.
        utterances: number of utterances trained on in the epoch under way.
        loss_sum: sum of their losses.
        audio_s: sum of their durations in seconds.
        waited_s: seconds of the epoch spent waiting for the next batch.
        history: a row for each epoch done: epoch, loss, wer, cer.
    """

    epoch: int = 0
    step: int = 0
    total_steps: int = 0
    seconds: float = 0.0
    epoch_began_s: float = 0.0
    utterances: int = 0
    loss_sum: float = 0.0
    audio_s: float = 0.0
    waited_s: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)

    def add_step(self, batch: Batch, loss: float) -> None:
        """Count a step on ``batch``, whose mean loss over utterances was ``loss``."""
        self.step, self.total_steps = self.step + 1, self.total_steps + 1
        self.utterances += batch.utterances
        self.loss_sum += loss * batch.utterances
        self.audio_s += batch.audio_s

    def add_epoch(self, dev: DevScore | None) -> None:
        """Finish the epoch under way and record its scores ``dev``."""
        errors = {"wer": dev.wer if dev else None, "cer": dev.cer if dev else None}
        self.history.append({"epoch": self.epoch, "loss": self.loss, **errors})
        self.epoch, self.step, self.epoch_began_s = self.epoch + 1, 0, self.seconds
        self.utterances, self.loss_sum, self.audio_s, self.waited_s = 0, 0.0, 0.0, 0.0

    @property
    def loss(self) -> float:
        """Mean loss over the epoch's utterances so far."""
        return self.loss_sum / max(1, self.utterances)

    @property
    def epoch_s(self) -> float:
        """Seconds that the epoch under way has taken."""
        return self.seconds - self.epoch_began_s


@dataclass(frozen=True, eq=False)
class Candidate:
    """Weights that may become the final ones: the mean over ``epochs`` (from 0), with their scores on the dev set."""

    epochs: Sequence[int]
    arrays: Mapping[str, np.ndarray]
    dev: DevScore | None

    @property
    def errors(self) -> tuple[float, float]:
        """WER, and CER to decide between equal ones."""
        return (self.dev.wer, self.dev.cer) if self.dev else (0.0, 0.0)


def _position(state: Mapping[str, Any]) -> Position:
    try:
        return Position(**state)
    except TypeError as fault:
        raise CheckpointError(f"the checkpoint is of another version of asr ({fault}); name another run_dir") from fault


class Trainer:
    """Trains ``model`` in ``folder``, from the newest checkpoint there if there is one.

    On one CPU model and thread count the weights depend on options and data alone: a run that was stopped and went on
    gives the same bits as one that never stopped.

    Of several workers each has a trainer, and all take the same turns; the chief's alone writes and tells observers.
    """

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
        devices: Devices | None = None,
    ) -> None:
        self.model, self.training_set, self.dev, self.vocabulary = model, training_set, dev, vocabulary
        self.folder, self.options, self.schedule = folder, options, optimizer
        self.devices = devices or Devices()
        self.observers = observers if self.devices.chief else ()
        self._step = TrainStep(
            model,
            optimizer=optimizer,
            clip_norm=options.clip_norm,
            precision=options.precision,
            devices=self.devices,
        )
        self.position = Position()
        if checkpoint := load_checkpoint(self._checkpoints):
            assign(self._step.variables, checkpoint.arrays)
            self.position = _position(checkpoint.state)
        self._interruption = Interruption()
        self._clock = self._called_s = self._saved_s = 0.0

    @property
    def _checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    def fit(self) -> str:
        """Train until ``epochs``, ``patience`` or ``minutes`` end the training; return which of them did.

        A first Ctrl-C lets the step under way end, saves a checkpoint and raises KeyboardInterrupt; a second raises it
        at once and leaves the checkpoint before.

        Raises:
            TrainingError: the loss is not finite, or another worker has other options or another checkpoint.
            CheckpointError: a checkpoint cannot be written.
        """
        self._clock = time.monotonic()
        self._called_s = self._saved_s = self.position.seconds
        with self._interruption:
            self._check_start()
            reason = self._epochs()
            if reason == "minutes":
                self._save()
            elif self.devices.chief:
                self._finish()
            self.devices.all_gather(0)  # nobody leaves before the chief has written
        return reason

    def _check_start(self) -> None:
        """Check that all workers start from the same checkpoint, with the same options and utterances."""
        start, fingerprint = self.position.total_steps, self._fingerprint()
        for worker, (other_start, other_fingerprint) in enumerate(self.devices.all_gather(start, fingerprint)):
            if other_start != start:
                raise TrainingError(
                    f"worker {self.devices.worker} starts after step {start} and worker {worker} after step "
                    f"{other_start:.0f}; run_dir must be one folder, which every machine sees"
                )
            if other_fingerprint != fingerprint:
                raise TrainingError(
                    f"worker {worker} has other options or utterances than worker {self.devices.worker}; "
                    "give every worker the same command, manifests and version of asr"
                )

    def _fingerprint(self) -> int:
        """Return a checksum of options and utterances."""
        utterances = [(e.utterance.id, e.labels.tolist()) for e in self.training_set.examples]
        options = (self.model.options, self.schedule, self.options.epochs, self.options.seed, self.options.precision)
        return zlib.crc32(repr((options, self.options.clip_norm, utterances)).encode())

    def _epochs(self) -> str:
        while self.position.epoch < self.options.epochs:
            if self._out_of_patience():
                return "patience"
            if not self._steps():
                return "minutes"
            self._end_epoch()
        return "epochs"

    def _steps(self) -> bool:
        """Take the rest of the epoch's steps; False when the minutes ended first."""
        position = self.position
        steps = len(self.training_set.order(position.epoch))
        part, parts = self.devices.worker, self.devices.workers
        for batch in self._awaited(self.training_set.batches(position.epoch, position.step, part=part, parts=parts)):
            self._one_step(batch, steps)
            stop, out_of_minutes = self.devices.all_gather(self._interruption.asked, self._out_of_minutes()).T
            self._stop_if(bool(stop.any()))
            if out_of_minutes[0]:
                return False
            if position.seconds - self._saved_s > 60 * self.options.checkpoint_minutes:
                self._save()
        return True

    def _awaited(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """Yield each of ``batches`` and measure the time spent waiting for it."""
        while True:
            asked_s = time.monotonic()
            batch = next(batches, None)
            self.position.waited_s += time.monotonic() - asked_s
            if batch is None:
                return
            yield batch

    def _one_step(self, batch: Batch, steps: int) -> None:
        position, epochs = self.position, self.options.epochs
        rate = self.schedule.at((position.epoch + (position.step + 1) / steps) / epochs)
        loss, norm = self._apply(batch, rate)
        position.add_step(batch, loss)
        self._tick()
        done = position.epoch + position.step / steps
        left = position.seconds * (epochs - done) / done
        speed = position.audio_s / position.epoch_s
        report = StepReport(
            position.epoch + 1, epochs, position.step, steps, position.total_steps, loss, norm, rate, speed, left
        )
        for observer in self.observers:
            observer.on_step(report)

    def _apply(self, batch: Batch, rate: float) -> tuple[float, float]:
        """Update the weights once; return the loss before the update and the gradient's norm."""
        loss, norm = self._step(batch, rate)
        scale = self._step.loss_scale
        if not np.isfinite(loss) or not np.isfinite(norm) and (scale is None or scale.used_up):
            raise TrainingError(
                f"epoch {self.position.epoch + 1}, step {self.position.step + 1}: loss {loss}, gradient norm {norm}; "
                "lower optimizer.learning_rate or trainer.clip_norm (the last checkpoint is good)"
            )
        return loss, norm

    def _end_epoch(self) -> None:
        """Evaluate, keep the weights, save a checkpoint, then report the epoch, which can no longer be lost."""
        position = self.position
        waiting = position.waited_s / position.epoch_s
        dev = self._evaluated() if self.dev else None
        self._tick()
        report = EpochReport(
            position.epoch + 1, self.options.epochs, position.total_steps,
            position.loss, position.epoch_s, position.audio_s / position.epoch_s, waiting, self._step.traces, dev,
        )  # fmt: skip
        if self.devices.chief:
            save_arrays(self._weights(position.epoch), _arrays(named(self.model.variables)))
        position.add_epoch(dev)
        self._save()
        if self.devices.chief:
            self._drop_weights()
        for observer in self.observers:
            observer.on_epoch(report)

    def _evaluated(self) -> DevScore:
        """Score the weights on the dev set; the chief does it for all workers, since patience depends on it."""
        if self.devices.chief:
            dev = score(self.model, self.dev, self.vocabulary, lambda: self._stop_if(self._interruption.asked))
            self.devices.all_gather(dev.wer, dev.cer)
            return dev
        wer, cer = self.devices.all_gather(0, 0)[0]
        return DevScore(wer, cer, ())

    def _weights(self, epoch: int) -> Path:
        return self.folder / "weights" / f"{epoch:04}.npz"

    def _drop_weights(self) -> None:
        """Remove the weights that will not be averaged; call it after the checkpoint that says so is written."""
        for epoch in {r["epoch"] for r in self.position.history} - set(self._to_average()):
            self._weights(epoch).unlink(missing_ok=True)

    def _to_average(self) -> list[int]:
        """Return the epochs whose weights are kept, the best or the last first."""
        rows = self.position.history[::-1]
        if self.options.average_of == "best" and self.dev:
            rows = sorted(rows, key=lambda r: (r["wer"], r["cer"]))
        return [r["epoch"] for r in rows[: self.options.average]]

    def _out_of_patience(self) -> bool:
        history = self.position.history
        if self.options.patience is None or not self.dev or not history:
            return False
        best = min(history, key=lambda r: (r["wer"], r["cer"]))
        return bool(history[-1]["epoch"] - best["epoch"] >= self.options.patience)

    def _out_of_minutes(self) -> bool:
        limit = self.options.max_minutes
        return limit is not None and self.position.seconds - self._called_s >= 60 * limit

    def _stop_if(self, asked: bool) -> None:
        """Save and raise the interrupt if one was asked for; call it between steps or between dev utterances."""
        if asked:
            self._save()
            raise KeyboardInterrupt

    def _finish(self) -> None:
        """Average the kept epochs; the final weights are the average, or the first epoch's if that is better on dev."""
        epochs = self._to_average()
        parts = [epochs[:1]] if self.dev and len(epochs) > 1 else []
        final = min([self._candidate(e) for e in [epochs, *parts]], key=lambda c: c.errors)
        assign(named(self.model.variables), final.arrays)
        digest = save_arrays(self.folder / FINAL, final.arrays)
        summary = {
            "sha256": digest,
            "averaged_epochs": [e + 1 for e in final.epochs],
            "epochs": self.position.epoch,
            "seconds": self.position.seconds,
            "dev": asdict(final.dev) if final.dev else None,
        }
        write_json(self.folder / "final.json", summary)

    def _candidate(self, epochs: Sequence[int]) -> Candidate:
        arrays = mean_of([self._weights(e) for e in epochs])
        assign(named(self.model.variables), arrays)
        dev = score(self.model, self.dev, self.vocabulary, self._interruption.check) if self.dev else None
        return Candidate(epochs, arrays, dev)

    def _save(self) -> None:
        self._tick()
        self._saved_s = self.position.seconds
        if self.devices.chief:
            checkpoint = Checkpoint(_arrays(self._step.variables), asdict(self.position))
            save_checkpoint(self._checkpoints, self.position.total_steps, checkpoint)

    def _tick(self) -> None:
        """Add the seconds since the last call to ``position.seconds``."""
        now = time.monotonic()
        self.position.seconds += now - self._clock
        self._clock = now


def _arrays(variables: Mapping[str, Variable]) -> dict[str, np.ndarray]:
    return {n: v.numpy() for n, v in variables.items()}
