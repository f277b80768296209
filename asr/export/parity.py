"""Does an exported model say what the trained one says? Compared on recordings, in log-probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asr.errors import ParityError
from asr.inference.session import AcousticSession
from asr.training.dataset import Example

TOLERANCE = 1e-3
"""Float32 graphs differ by rounding, about 1e-5; a gate in the wrong place by 1 or more."""

_BATCH = 8


@dataclass(frozen=True)
class Difference:
    """The largest |difference| of two natural log-probabilities, the utterance it is in, and among how many."""

    largest: float
    utterance: str
    utterances: int


def check_parity(trained: Mapping[int, np.ndarray], exported: Path, examples: Sequence[Example]) -> Difference:
    """As ``difference``, for a float32 model, which must agree.

    Raises:
        ParityError: a log-probability differs by more than 1e-3, or the shapes of an utterance's do.
    """
    found = difference(trained, exported, examples)
    if found.largest > TOLERANCE:
        raise ParityError(
            f"{exported.name} and the trained model differ by {found.largest:.3g} in a log-probability of "
            f"{found.utterance}, more than {TOLERANCE:g}; this is a fault of the export, please report it"
        )
    return found


def difference(trained: Mapping[int, np.ndarray], exported: Path, examples: Sequence[Example]) -> Difference:
    """Compare ``exported`` (ONNX) with the trained model on ``examples``, each alone and in padded batches.

    Args:
        trained: the trained model's log-probabilities (T', V) of each example, by its index.
        exported: the ONNX file.
        examples: recordings of varied length.

    Raises:
        ParityError: an utterance has other numbers of frames or labels.
    """
    distances = {e.utterance.id: 0.0 for e in examples}
    for index, row in _rows(exported, examples):
        name = examples[index].utterance.id
        distances[name] = max(distances[name], _distance(trained[index], row, name))
    largest = max(distances, key=lambda name: distances[name])
    return Difference(distances[largest], largest, len(examples))


def _rows(exported: Path, examples: Sequence[Example]) -> Iterator[tuple[int, np.ndarray]]:
    """(index, log-probabilities): every example alone, then every example with others, short beside long."""
    session = AcousticSession(exported)
    for index, example in enumerate(examples):
        yield index, session.log_probs([example.features])[0]
    for start in range(0, len(examples), _BATCH):
        chosen = range(start, min(start + _BATCH, len(examples)))
        yield from zip(chosen, session.log_probs([examples[i].features for i in chosen]), strict=True)


def _distance(trained: np.ndarray, exported: np.ndarray, name: str) -> float:
    if trained.shape != exported.shape:
        raise ParityError(f"{name}: the exported model gives {exported.shape}, the trained one {trained.shape}")
    return float(np.nan_to_num(np.abs(trained - exported), nan=np.inf).max(initial=0.0))
