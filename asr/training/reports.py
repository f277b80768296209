"""Reports that training sends to its observers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from asr.training.evaluate import DevScore


@dataclass(frozen=True)
class StepReport:
    """The figures of one training step.

    Attributes:
        epoch: the epoch under way, from 1, of ``epochs``.
        epochs: how many there will be at most.
        step: of this epoch, from 1, of ``steps``.
        steps: how many this epoch has.
        total_steps: since training began, over all calls.
        loss: mean over the batch's utterances.
        gradient_norm: norm of the gradient before clipping.
        learning_rate: learning rate of this step.
        audio_s_per_s: seconds of audio per second in this epoch.
        seconds_left: seconds to the end of the last epoch at the pace so far.
    """

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
    """The figures of one epoch, over all calls that took part in it.

    Attributes:
        epoch: from 1, of ``epochs``.
        epochs: how many there will be at most.
        total_steps: since training began.
        loss: mean over the epoch's utterances, each with the weights before its step.
        seconds: seconds of training and of evaluation on the dev set.
        audio_s_per_s: seconds of audio per second.
        waiting: share of the time in training steps spent waiting for the next batch.
        traces: how often this call has traced the graph of the training step; each trace costs seconds.
        dev: the dev set's errors, None without one.
    """

    epoch: int
    epochs: int
    total_steps: int
    loss: float
    seconds: float
    audio_s_per_s: float
    waiting: float
    traces: int
    dev: DevScore | None


class Observer(Protocol):
    """An object that receives the reports, such as a display or a log of events."""

    def on_step(self, report: StepReport) -> None:
        """Take the report of a step."""

    def on_epoch(self, report: EpochReport) -> None:
        """Take the report of an epoch, after its checkpoint is written."""
