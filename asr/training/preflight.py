"""The check before the first step: which utterances can be trained on, and why the others cannot."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from asr.data import Utterance
from asr.errors import AsrError, PreflightError
from asr.training.targets import Targets

_SHOWN = 20


@dataclass(frozen=True)
class Fault:
    """An utterance that cannot be trained on: its id and the reason."""

    id: str
    reason: str

    def __str__(self) -> str:
        """Return the line of a list: id and reason."""
        return f"{self.id}: {self.reason}"


def find_faults(
    utterances: Sequence[Utterance],
    features: Sequence[np.ndarray | AsrError],
    targets: Targets,
    output_length: Callable[[int], int],
) -> dict[int, Fault]:
    """Find the utterances, by index, that cannot be read, cannot be spelled, or are too short for their labels.

    Args:
        utterances: what is to be trained on, their texts normalised.
        features: (T, F) of each, or why it has none.
        targets: what the model learns to say.
        output_length: frames of logits for frames of features.
    """
    faults = {}
    for place, (utterance, feature) in enumerate(zip(utterances, features, strict=True)):
        if reason := _fault(utterance.text, feature, targets, output_length):
            faults[place] = Fault(utterance.id, reason)
    return faults


def refuse(faults: Collection[Fault], total: int) -> None:
    """Raise when there are faults.

    Raises:
        PreflightError: lists the first 20 of them by id.
    """
    if faults:
        more = [f"… and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        lines = [f"{len(faults)} of {total} utterances cannot be trained on:", *map(str, list(faults)[:_SHOWN]), *more]
        raise PreflightError("\n  ".join(lines) + "\nmend or remove them, or train without them: data.faulty=drop")


def _fault(
    text: str, features: np.ndarray | AsrError, targets: Targets, output_length: Callable[[int], int]
) -> str | None:
    if isinstance(features, AsrError):
        return f"[{features.code}] {features}"
    if reason := targets.fault(text):
        return reason
    frames, needed = output_length(len(features)), targets.frames_needed(text)
    if frames < needed:
        return f"{frames} frames cannot spell {len(targets.longest(text))} labels (needs {needed})"
    return None
