"""Utterances with their features and labels, and batches of them, prepared ahead of the trainer."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from asr.audio import load_audio
from asr.data import Utterance
from asr.data.augment import Copy, Transform
from asr.data.augment.time_stretch import TimeStretch
from asr.data.batching import batches_by_frames
from asr.data.feature_cache import copy_keys, front_end_folder, read_shards, utterance_keys, write_shards
from asr.errors import AudioError
from asr.features import FrontEnd
from asr.training.distribution import shared

_THREADS = 2
_AHEAD = 4
"""Batches that wait for the trainer, and the threads that prepare them."""

_VERSION = 1
"""Apart from the draws of the transforms."""


@dataclass(frozen=True, eq=False)
class Example:
    """One utterance ready for the model.

    Attributes:
        utterance: where it comes from.
        raw: (T, F) float32, in memory or a view of a file.
        labels: (U,) int32.
        cmvn: normalises ``raw`` each time that ``features`` are asked for; None where it is normalised already.
        altered: ``raw`` of altered versions of the recording, one of which, or ``raw``, an epoch shows.
        phones: (W,) int32, what is said, for a network that hears phones.
    """

    utterance: Utterance
    raw: np.ndarray
    labels: np.ndarray
    cmvn: Callable[[np.ndarray], np.ndarray] | None = None
    altered: Sequence[np.ndarray] = ()
    phones: Sequence[int] | np.ndarray = ()

    @property
    def features(self) -> np.ndarray:
        """(T, F) float32, normalised."""
        return self.cmvn(self.raw) if self.cmvn else self.raw

    @property
    def num_frames(self) -> int:
        """T."""
        return len(self.raw)

    def version(self, rng: np.random.Generator) -> Example:
        """The example as recorded, or one of its altered versions, each as likely."""
        drawn = int(rng.integers(len(self.altered) + 1))
        return replace(self, raw=self.altered[drawn - 1], altered=()) if drawn else self


@dataclass(frozen=True, eq=False)
class Batch:
    """Padded examples: a whole batch, or one worker's rows of it.

    Attributes:
        features: (B, T, F) float32.
        feature_lengths: (B,) int32.
        labels: (B, U) int32.
        label_lengths: (B,) int32.
        phones: (B, W) int32, nothing of use where no network hears them.
        phone_lengths: (B,) int32.
        weights: (B,) float32, one; zero for a row that another worker counts.
        utterances: of the whole batch.
        audio_s: the sum of their durations.
    """

    features: np.ndarray
    feature_lengths: np.ndarray
    labels: np.ndarray
    label_lengths: np.ndarray
    phones: np.ndarray
    phone_lengths: np.ndarray
    weights: np.ndarray
    utterances: int
    audio_s: float


def compute_features(
    utterances: Sequence[Utterance],
    front_end: FrontEnd,
    cache_dir: str | Path | None = None,
    copy: Copy | None = None,
) -> list[np.ndarray | AudioError]:
    """Features (T, F) of each utterance, or of its ``copy``, not yet normalised; what cannot be read is its error.

    With ``cache_dir`` they are read-only views of files there, computed where no earlier call has done so; without it
    they are in memory.

    Raises:
        CacheError: ``cache_dir`` cannot be written to or read.
    """
    if cache_dir is None:
        return list(_computed(utterances, front_end, copy))
    return _cached(utterances, front_end, Path(cache_dir), copy)


def _cached(
    utterances: Sequence[Utterance], front_end: FrontEnd, cache_dir: Path, copy: Copy | None
) -> list[np.ndarray | AudioError]:
    folder, bands = front_end_folder(cache_dir, front_end), front_end.num_features
    keys = copy_keys(utterances, cache_dir, copy) if copy else utterance_keys(utterances, cache_dir)
    stored = read_shards(folder, bands, {k for k in keys if k})
    missing = [i for i, key in enumerate(keys) if key not in stored]
    apart: dict[int, np.ndarray | AudioError] = {}

    def fresh() -> Iterator[tuple[str, np.ndarray]]:
        for i, features in zip(missing, _computed([utterances[i] for i in missing], front_end, copy), strict=True):
            if (key := keys[i]) and isinstance(features, np.ndarray):
                yield key, features
            else:
                apart[i] = features

    write_shards(folder, fresh())
    stored |= read_shards(folder, bands, {k for i in missing if (k := keys[i])})
    lost = [i for i in missing if i not in apart and keys[i] not in stored]  # somebody removed the folder just now
    apart |= zip(lost, _computed([utterances[i] for i in lost], front_end, copy), strict=True)
    return [apart[i] if i in apart else stored[key or ""] for i, key in enumerate(keys)]


def _computed(
    utterances: Sequence[Utterance], front_end: FrontEnd, copy: Copy | None
) -> Iterator[np.ndarray | AudioError]:
    """In threads: decoders and transforms hold no lock. BLAS has threads of its own, which would fight with these."""

    def one(utterance: Utterance) -> np.ndarray | AudioError:
        span = {"offset_s": utterance.offset, "duration_s": utterance.duration}
        try:
            samples = load_audio(utterance.audio_filepath, front_end.sample_rate, **span)
            return front_end(copy(samples, front_end.sample_rate, utterance.id) if copy else samples)
        except AudioError as fault:
            return fault

    with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(one, utterances)


def collate(examples: Sequence[Example]) -> Batch:
    """Pad ``examples`` with zeros to the longest."""
    frames = np.array([e.num_frames for e in examples], np.int32)
    features = np.zeros((len(examples), frames.max(), examples[0].raw.shape[1]), np.float32)
    for row, example in enumerate(examples):
        features[row, : frames[row]] = example.features
    labels, phones = _padded([e.labels for e in examples]), _padded([e.phones for e in examples])
    audio_s = sum(e.utterance.duration for e in examples)
    return Batch(features, frames, *labels, *phones, np.ones(len(examples), np.float32), len(examples), audio_s)


def _padded(labels: Sequence[Sequence[int] | np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Labels (B, U) int32, one at least, padded with zeros; their numbers (B,) int32."""
    lengths = np.array([len(one) for one in labels], np.int32)
    padded = np.zeros((len(labels), max(1, lengths.max())), np.int32)
    for row, one in zip(padded, labels, strict=True):
        row[: len(one)] = one
    return padded, lengths


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """Examples, and the order, the versions and the transforms in which an epoch shows them.

    Order, versions and draws depend on ``seed``, the epoch and the utterance alone, so an epoch can be entered at any
    step.

    Attributes:
        examples: what to learn from.
        batch_frames: most frames of a padded batch.
        seed: of order and transforms.
        transforms: applied one after the other to the features of each example, drawn anew in each epoch. One that
            changes the length stands first, so that its draw is known when examples of like length are put together.
        frames_needed: per example, the fewest frames of features that can spell it; a transform that would leave fewer
            is not applied.
    """

    examples: Sequence[Example]
    batch_frames: float
    seed: int
    transforms: Sequence[Transform]
    frames_needed: Sequence[int]

    def order(self, epoch: int) -> list[list[int]]:
        """The batches of an epoch, as indices of examples."""
        frames = [self._frames(epoch, i) for i in range(len(self.examples))]
        return batches_by_frames(frames, self.batch_frames, (self.seed, epoch))

    def batches(self, epoch: int, start: int = 0, *, part: int = 0, parts: int = 1) -> Iterator[Batch]:
        """The batches of ``epoch`` from step ``start`` on, the next ones prepared while one is trained on.

        One worker of several takes its ``part`` (from 0) of ``parts`` of each, as ``distribution.shared`` cuts it.
        """
        waiting: deque[Future[Batch]] = deque()
        with ThreadPoolExecutor(_THREADS) as pool:
            try:
                for indices in self.order(epoch)[start:]:
                    waiting.append(pool.submit(self._batch, epoch, indices, part, parts))
                    if len(waiting) > _AHEAD:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _batch(self, epoch: int, indices: Sequence[int], part: int, parts: int) -> Batch:
        rows, weights = shared(indices, part, parts)
        audio_s = sum(self.examples[i].utterance.duration for i in indices)
        batch = collate([self._transformed(epoch, i) for i in rows])
        return replace(batch, weights=weights, utterances=len(indices), audio_s=audio_s)

    def _transformed(self, epoch: int, index: int) -> Example:
        example, rng = self._version(epoch, index), self._rng(epoch, index)
        features = example.features
        for transform in self.transforms:
            changed = transform(features, rng)
            features = changed if len(changed) >= self.frames_needed[index] else features
        return replace(example, raw=features, cmvn=None, altered=())

    def _frames(self, epoch: int, index: int) -> int:
        """How many frames ``_transformed`` will have."""
        frames = self._version(epoch, index).num_frames
        if self.transforms and isinstance(stretch := self.transforms[0], TimeStretch):
            stretched = stretch.frames(frames, self._rng(epoch, index))
            return stretched if stretched >= self.frames_needed[index] else frames
        return frames

    def _version(self, epoch: int, index: int) -> Example:
        example, seed = self.examples[index], (self.seed, epoch, index, _VERSION)
        return example.version(np.random.default_rng(seed)) if example.altered else example

    def _rng(self, epoch: int, index: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, epoch, index))
