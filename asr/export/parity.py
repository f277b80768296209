"""Comparison of an exported model with the trained one, by their log-probabilities for recordings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from asr.arrays import Features, LabelLogProbs, LogProbs
from asr.card import Difference
from asr.errors import ParityError
from asr.inference.acoustic_session import AcousticSession
from asr.onnx_runtime import import_onnxruntime
from asr.training.dataset import Example

TOLERANCE = 1e-3
"""The largest accepted difference. Rounding in float32 makes about 1e-5; a gate in the wrong place makes 1 or more."""

_BATCH = 8


def check_parity(trained: Mapping[int, LogProbs], exported: Path, examples: Sequence[Example]) -> Difference:
    """Check that an exported float32 model agrees with the trained one, on single utterances and in padded batches.

    Raises:
        ParityError: a log-probability differs by more than 1e-3, or an utterance's log-probabilities have another
            shape.
    """
    alone = difference(trained, exported, examples)
    found = max(
        alone,
        _largest(trained, _batched(exported, examples, _vocabulary_size(trained)), examples),
        key=lambda each: each.largest,
    )
    if found.largest > TOLERANCE:
        raise ParityError(
            f"{exported.name} and the trained model differ by {found.largest:.3g} in a log-probability of "
            f"{found.utterance}, more than {TOLERANCE:g}; this is a fault of the export, please report it"
        )
    return found


def difference(trained: Mapping[int, LogProbs], exported: Path, examples: Sequence[Example]) -> Difference:
    """Compare ``exported`` (ONNX) with the trained model on each of ``examples`` by itself, as in transcription.

    Args:
        trained: the trained model's log-probabilities for each example, by its index.
        exported: the ONNX file.
        examples: recordings of various lengths.

    Raises:
        ParityError: the models give an utterance different numbers of frames or labels.
    """
    session = AcousticSession(exported, _vocabulary_size(trained))
    return _largest(trained, (session.log_probs(example.features) for example in examples), examples)


def _largest(trained: Mapping[int, LogProbs], exported: Iterable[LogProbs], examples: Sequence[Example]) -> Difference:
    names = [example.utterance.id for example in examples]
    distances = [_distance(trained[i], row, names[i]) for i, row in enumerate(exported)]
    worst = int(np.argmax(distances))
    return Difference(distances[worst], names[worst], len(examples))


def _batched(exported: Path, examples: Sequence[Example], vocabulary_size: int) -> Iterator[LogProbs]:
    """Yield the log-probabilities of each example, computed in padded batches that mix short and long ones."""
    for start in range(0, len(examples), _BATCH):
        packed = batch_log_probs(exported, [example.features for example in examples[start : start + _BATCH]])
        yield from (LogProbs.split(one, vocabulary_size) for one in packed)


def batch_log_probs(model: Path, features: Sequence[Features]) -> list[LabelLogProbs]:
    """Run an exported graph on features [(T_i, F)] as one padded batch; return log-probabilities [(T'_i, V + P)].

    Transcription computes each recording by itself; this is for users who run the graph in other programs.
    """
    lengths = np.array([len(each) for each in features], np.int64)
    batch = np.zeros((len(features), lengths.max(), features[0].shape[1]), np.float32)
    for row, each in zip(batch, features, strict=True):
        row[: len(each)] = each
    session = import_onnxruntime().InferenceSession(model, providers=["CPUExecutionProvider"])
    outputs = session.run(["log_probs", "log_prob_lengths"], {"features": batch, "feature_lengths": lengths})
    return [row[:length] for row, length in zip(*outputs, strict=True)]


def _vocabulary_size(trained: Mapping[int, LogProbs]) -> int:
    return int(next(iter(trained.values())).characters.shape[1])


def _distance(trained: LogProbs, exported: LogProbs, name: str) -> float:
    """Return the largest distance of two log-probabilities of characters, or of phones."""
    return max(
        _label_distance(trained.characters, exported.characters, f"{name}: of characters"),
        _label_distance(_phones(trained), _phones(exported), f"{name}: of phones"),
    )


def _phones(log_probs: LogProbs) -> LabelLogProbs:
    return log_probs.characters[:, :0] if log_probs.phones is None else log_probs.phones


def _label_distance(trained: LabelLogProbs, exported: LabelLogProbs, what: str) -> float:
    if trained.shape != exported.shape:
        raise ParityError(f"{what} the exported model gives {exported.shape}, the trained one {trained.shape}")
    return float(np.nan_to_num(np.abs(trained - exported), nan=np.inf).max(initial=0.0))
