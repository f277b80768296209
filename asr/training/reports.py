"""What training tells whoever watches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from asr.training.evaluate import DevScore


@dataclass(frozen=True)
class StepReport:
    """What one step showed.

    Attributes:
        epoch: the epoch under way, from 1, of ``epochs``.
        epochs: how many there will be at most.
        step: of this epoch, from 1, of ``steps``.
        steps: how many this epoch has.
        total_steps: since training began, over all calls.
        loss: mean over the batch's utterances.
        gradient_norm: before clipping.
        learning_rate: of this step.
        audio_s_per_s: seconds of audio a second of this epoch.
        seconds_left: at the pace so far, to the end of the last epoch.
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
    """What one whole epoch showed, over all calls that had a part in it.

    Attributes:
        epoch: from 1, of ``epochs``.
        epochs: how many there will be at most.
        total_steps: since training began.
        loss: mean over the epoch's utterances, each by the weights of its step.
        seconds: of training and of judging by the dev set.
        audio_s_per_s: seconds of audio a second.
        waiting: share of the time in training steps that went by before the next batch was there.
        traces: how often this call has made a graph of the training step; more than one costs seconds each.
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
    """Who is told: a display, a log of events."""

    def on_step(self, report: StepReport) -> None:
        """After each step."""

    def on_epoch(self, report: EpochReport) -> None:
        """After each epoch, when its checkpoint is written."""
