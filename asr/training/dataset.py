"""Utterances with their features and labels, in memory, and batches of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from asr.audio import load_audio
from asr.data import Utterance
from asr.data.augment import Transform
from asr.data.batching import batches_by_duration
from asr.errors import AudioError
from asr.features import FrontEnd


@dataclass(frozen=True, eq=False)
class Example:
    """One utterance ready for the model.

    Attributes:
        utterance: where it comes from.
        features: (T, F) float32, normalised.
        labels: (U,) int32.
    """

    utterance: Utterance
    features: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True, eq=False)
class Batch:
    """Padded examples.

    Attributes:
        features: (B, T, F) float32.
        feature_lengths: (B,) int32.
        labels: (B, U) int32.
        label_lengths: (B,) int32.
        audio_s: their durations' sum.
    """

    features: np.ndarray
    feature_lengths: np.ndarray
    labels: np.ndarray
    label_lengths: np.ndarray
    audio_s: float


def compute_features(utterances: Sequence[Utterance], front_end: FrontEnd) -> list[np.ndarray | AudioError]:
    """Features (T, F) of each utterance, not yet normalised; what cannot be read is given as its error."""

    def one(utterance: Utterance) -> np.ndarray | AudioError:
        try:
            return front_end(
                load_audio(
                    utterance.audio_filepath,
                    front_end.sample_rate,
                    offset_s=utterance.offset,
                    duration_s=utterance.duration,
                )
            )
        except AudioError as fault:
            return fault

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, utterances))


def collate(examples: Sequence[Example]) -> Batch:
    """Pad ``examples`` with zeros to the longest."""
    frames = np.array([len(e.features) for e in examples], np.int32)
    lengths = np.array([len(e.labels) for e in examples], np.int32)
    features = np.zeros((len(examples), frames.max(), examples[0].features.shape[1]), np.float32)
    labels = np.zeros((len(examples), max(1, lengths.max())), np.int32)
    for row, example in enumerate(examples):
        features[row, : frames[row]] = example.features
        labels[row, : lengths[row]] = example.labels
    return Batch(features, frames, labels, lengths, sum(e.utterance.duration for e in examples))


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Examples, and the order and the transforms in which an epoch shows them.

    Order and draws depend on ``seed``, the epoch and the utterance alone, so an epoch can be entered at any step.

    Attributes:
        examples: what to learn from.
        batch_s: most seconds of padded audio in a batch.
        seed: of order and transforms.
        transforms: applied one after the other to the features of each example, drawn anew in each epoch.
        frames_needed: per example, the fewest frames of features that can spell it; a transform that would leave fewer
            is not applied.
    """

    examples: Sequence[Example]
    batch_s: float
    seed: int
    transforms: Sequence[Transform]
    frames_needed: Sequence[int]

    def order(self, epoch: int) -> list[list[int]]:
        """The batches of an epoch, as indices of examples."""
        return batches_by_duration([e.utterance.duration for e in self.examples], self.batch_s, (self.seed, epoch))

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """The batches of ``epoch`` from step ``start`` on, each prepared while the one before is trained on."""
        with ThreadPoolExecutor(1) as pool:
            ready = None
            for indices in self.order(epoch)[start:]:
                following = pool.submit(self._batch, epoch, indices)
                if ready is not None:
                    yield ready.result()
                ready = following
            if ready is not None:
                yield ready.result()

    def _batch(self, epoch: int, indices: Sequence[int]) -> Batch:
        return collate([self._transformed(epoch, i) for i in indices])

    def _transformed(self, epoch: int, index: int) -> Example:
        example = self.examples[index]
        rng = np.random.default_rng((self.seed, epoch, index))
        features = example.features
        for transform in self.transforms:
            changed = transform(features, rng)
            features = changed if len(changed) >= self.frames_needed[index] else features
        return Example(example.utterance, features, example.labels)
