"""Greedy transcripts of examples by a model under training, and their error rates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import tensorflow as tf

from asr.decoding import greedy_decode
from asr.evaluation import error_rate
from asr.models import AcousticModel
from asr.text import Vocabulary
from asr.training.dataset import Example, collate

_BATCH = 16


@dataclass(frozen=True)
class DevScore:
    """WER and CER (fractions) over the dev set, and some reference/hypothesis pairs."""

    wer: float
    cer: float
    pairs: tuple[tuple[str, str], ...]


def log_probs(model: AcousticModel, examples: Sequence[Example]) -> Iterator[tuple[int, np.ndarray]]:
    """(index, log-probabilities (T', V)) of every example, in batches of like length."""
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].features))
    for start in range(0, len(order), _BATCH):
        chosen = order[start : start + _BATCH]
        batch = collate([examples[i] for i in chosen])
        rows = _forward(model)(tf.constant(batch.features), tf.constant(batch.feature_lengths)).numpy()
        for row, index, frames in zip(rows, chosen, batch.feature_lengths, strict=True):
            yield index, row[: model.output_lengths(int(frames))]


@lru_cache(maxsize=1)
def _forward(model: AcousticModel) -> Any:
    """The model as one TensorFlow function, traced once for all shapes."""
    signature = [
        tf.TensorSpec((None, None, model.options["num_features"]), tf.float32),
        tf.TensorSpec((None,), tf.int32),
    ]
    return tf.function(lambda x, n: tf.nn.log_softmax(model(x, lengths=n)), input_signature=signature)


def transcribe(model: AcousticModel, examples: Sequence[Example], vocabulary: Vocabulary) -> list[str]:
    """Greedy transcript of each example."""
    texts = [""] * len(examples)
    for index, row in log_probs(model, examples):
        texts[index] = greedy_decode(row, vocabulary).text
    return texts


def score(model: AcousticModel, examples: Sequence[Example], vocabulary: Vocabulary) -> DevScore:
    """WER and CER of greedy transcripts against the examples' texts, and three pairs, the same ones each time."""
    references = [e.utterance.text for e in examples]
    hypotheses = transcribe(model, examples, vocabulary)
    shown = np.linspace(0, len(examples) - 1, 3).round().astype(int)
    return DevScore(
        error_rate(references, hypotheses, "word").rate,
        error_rate(references, hypotheses, "character").rate,
        tuple((references[i], hypotheses[i]) for i in shown),
    )
