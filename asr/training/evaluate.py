"""Greedy transcripts by a model in training or by a run folder, and their error rates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import tensorflow as tf

from asr.arrays import LogProbs
from asr.data import Utterance
from asr.decoding import Decoder, GreedyDecoder
from asr.errors import AsrError, AudioError
from asr.evaluation import error_rate
from asr.models import AcousticModel
from asr.text import Vocabulary
from asr.training.dataset import Example, collate, compute_features
from asr.training.setup import load_trained
from asr.training.tensor import Tensor

_BATCH = 16


@dataclass(frozen=True)
class DevScore:
    """WER and CER (fractions) over the dev set, and some reference/hypothesis pairs."""

    wer: float
    cer: float
    pairs: tuple[tuple[str, str], ...]


def log_probs(model: AcousticModel, examples: Sequence[Example]) -> Iterator[tuple[int, LogProbs]]:
    """Yield (index, log-probabilities) of every example, computed in batches of similar length."""
    order = sorted(range(len(examples)), key=lambda i: examples[i].num_frames)
    for start in range(0, len(order), _BATCH):
        chosen = order[start : start + _BATCH]
        batch = collate([examples[i] for i in chosen])
        rows = _forward(model)(tf.constant(batch.features), tf.constant(batch.feature_lengths)).numpy()
        for row, index, frames in zip(rows, chosen, batch.feature_lengths, strict=True):
            packed = row[: model.output_lengths(int(frames))]
            yield index, LogProbs.split(packed, model.output_layer.units)


@lru_cache(maxsize=1)
def _forward(model: AcousticModel) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the model as one TensorFlow function, traced once for all shapes."""
    signature = [
        tf.TensorSpec((None, None, model.options["num_features"]), tf.float32),
        tf.TensorSpec((None,), tf.int32),
    ]
    traced: Callable[[Tensor, Tensor], Tensor] = tf.function(model.log_probs, input_signature=signature)
    return traced


def transcribe(
    model: AcousticModel,
    examples: Sequence[Example],
    decoder: Decoder,
    pause: Callable[[], None] = lambda: None,
) -> list[str]:
    """Return the best text of each example; ``pause`` is called after each one, and may raise to stop."""
    texts = [""] * len(examples)
    for index, row in log_probs(model, examples):
        texts[index] = next((reading.text for reading in decoder.decode([row])[0]), "")
        pause()
    return texts


def score(
    model: AcousticModel,
    examples: Sequence[Example],
    vocabulary: Vocabulary,
    pause: Callable[[], None] = lambda: None,
) -> DevScore:
    """Compute WER and CER of greedy transcripts against the examples' texts; up to three fixed pairs are shown."""
    references = [e.utterance.text for e in examples]
    hypotheses = transcribe(model, examples, GreedyDecoder(vocabulary), pause)
    shown = dict.fromkeys(np.linspace(0, len(examples) - 1, 3).round().astype(int))
    return DevScore(
        error_rate(references, hypotheses, "word").rate,
        error_rate(references, hypotheses, "character").rate,
        tuple((references[i], hypotheses[i]) for i in shown),
    )


def transcribe_with_checkpoint(
    run_folder: str | Path,
    utterances: Sequence[Utterance],
    decoder_for: Callable[[Vocabulary], Decoder] = GreedyDecoder,
) -> list[str | AsrError]:
    """Transcribe utterances with the final weights of a run, or with its newest checkpoint while it still trains.

    Args:
        run_folder: the folder of the run.
        utterances: the utterances to transcribe.
        decoder_for: makes a decoder for a vocabulary; the default is greedy (best-path) decoding.

    Returns:
        For each utterance, in order, its text, or the error that says why its recording cannot be read.

    Raises:
        CheckpointError: the folder is not a run folder, or has no undamaged checkpoint.
    """
    trained = load_trained(run_folder)
    features = compute_features(utterances, trained.front_end)
    examples = [
        Example(utterance, one, np.zeros(0, np.int32), trained.cmvn)
        for utterance, one in zip(utterances, features, strict=True)
        if not isinstance(one, AudioError)
    ]
    texts = iter(transcribe(trained.model, examples, decoder_for(trained.vocabulary)))
    return [one if isinstance(one, AudioError) else " ".join(next(texts).split()) for one in features]
