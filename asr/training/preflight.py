"""The check before the first step: which utterances can be trained on, why others cannot, and what texts lose."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from asr.data import Utterance
from asr.errors import AsrError, PreflightError
from asr.text.losses import find_losses, lost_characters
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


def lost_texts(written: Sequence[Utterance], normaliser: str) -> dict[int, Fault]:
    """Return, by place, the utterances of whose text the normaliser loses letters, digits or symbols.

    Args:
        written: utterances with their texts as the manifests have them.
        normaliser: by name.
    """
    found = ((place, u.id, lost_characters(u.text, normaliser)) for place, u in enumerate(written))
    return {
        place: Fault(name, f"{normaliser} loses {' '.join(map(repr, dict.fromkeys(lost)))}")
        for place, name, lost in found
        if lost
    }


def loss_summary(written: Sequence[Utterance], normaliser: str) -> list[str]:
    """Return what the normaliser loses of all texts together, a line a kind: digits, symbols, letters of a script."""
    return [f"{normaliser} loses {loss}" for loss in find_losses(((u.id, u.text) for u in written), normaliser)]


def refuse(faults: Collection[Fault], total: int, losses: Sequence[str] = ()) -> None:
    """Raise when there are faults.

    Args:
        faults: of utterances.
        total: how many utterances were looked at.
        losses: what the normaliser loses, a line a kind.

    Raises:
        PreflightError: lists the losses, and the first 20 faults by id.
    """
    if not faults:
        return
    more = [f"… and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
    lines = [
        f"{len(faults)} of {total} utterances cannot be trained on:",
        *losses,
        *map(str, list(faults)[:_SHOWN]),
        *more,
    ]
    advice = "mend or remove them, or train without them: data.faulty=drop"
    if losses:
        advice = (
            "write digits and symbols as they are spoken, choose a data.normaliser that keeps them, leave these "
            "utterances out (data.faulty=drop), or accept the loss: data.allow_loss=true"
        )
    raise PreflightError("\n  ".join(lines) + f"\n{advice}")


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
