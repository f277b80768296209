"""Utterances with their features and labels, and their batches, which threads prefetch for the trainer."""

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
_PREFETCHED = 4
"""Batches prepared ahead of the trainer by ``_THREADS`` threads."""

_COPY_DRAW = 1
"""Last part of the seed that draws an augmented copy, so that the transforms' draws do not depend on it."""


@dataclass(frozen=True, eq=False)
class Example:
    """One utterance ready for the model.

    Attributes:
        utterance: the line of the manifest.
        raw: (T, F) float32, features before normalisation, in memory or a view of a file.
        labels: (U,) int32, of the characters.
        cmvn: normalises ``raw`` at each access to ``features``; None where ``raw`` is already normalised.
        altered: features (T', F) of augmented copies; an epoch shows one of these or ``raw``.
        phones: (W,) int32, labels of the pronunciation, for a network that also outputs phones.
    """

    utterance: Utterance
    raw: np.ndarray
    labels: np.ndarray
    cmvn: Callable[[np.ndarray], np.ndarray] | None = None
    altered: Sequence[np.ndarray] = ()
    phones: Sequence[int] | np.ndarray = ()

    @property
    def features(self) -> np.ndarray:
        """Normalised features (T, F) float32."""
        return self.cmvn(self.raw) if self.cmvn else self.raw

    @property
    def num_frames(self) -> int:
        """Number of frames T."""
        return len(self.raw)

    def draw_copy(self, rng: np.random.Generator) -> Example:
        """Return the example as recorded or one of its augmented copies, all equally likely."""
        drawn = int(rng.integers(len(self.altered) + 1))
        return replace(self, raw=self.altered[drawn - 1], altered=()) if drawn else self


@dataclass(frozen=True, eq=False)
class Batch:
    """Padded examples: a whole batch, or the rows of it that one worker trains on.

    Attributes:
        features: (B, T, F) float32.
        feature_lengths: (B,) int32.
        labels: (B, U) int32.
        label_lengths: (B,) int32.
        phones: (B, W) int32, ignored where the network outputs no phones.
        phone_lengths: (B,) int32.
        weights: (B,) float32, 1, or 0 for a padding row that another worker counts.
        utterances: number of utterances in the whole batch.
        audio_s: sum of their durations in seconds.
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
    """Compute features (T, F), not normalised, of each utterance or its ``copy``; an unreadable one gives its error.

    With ``cache_dir``, features are read-only views of files in that folder, and only those that no earlier call
    computed are computed; without it they are in memory.

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
    """Compute features in threads, since decoders and transforms release the GIL; BLAS threads would compete."""

    def one(utterance: Utterance) -> np.ndarray | AudioError:
        try:
            samples = load_audio(
                utterance.audio_filepath,
                front_end.sample_rate,
                offset_s=utterance.offset,
                duration_s=utterance.duration,
            )
            return front_end(copy(samples, front_end.sample_rate, utterance.id) if copy else samples)
        except AudioError as fault:
            return fault

    with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(one, utterances)


def collate(examples: Sequence[Example]) -> Batch:
    """Pad ``examples`` with zeros to the length of the longest, and return them as a batch."""
    frames = np.array([e.num_frames for e in examples], np.int32)
    features = np.zeros((len(examples), frames.max(), examples[0].raw.shape[1]), np.float32)
    for row, example in enumerate(examples):
        features[row, : frames[row]] = example.features
    labels, phones = _padded([e.labels for e in examples]), _padded([e.phones for e in examples])
    audio_s = sum(e.utterance.duration for e in examples)
    return Batch(features, frames, *labels, *phones, np.ones(len(examples), np.float32), len(examples), audio_s)


def _padded(labels: Sequence[Sequence[int] | np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return labels (B, U) int32 padded with zeros, with U at least 1, and their lengths (B,) int32."""
    lengths = np.array([len(one) for one in labels], np.int32)
    padded = np.zeros((len(labels), max(1, lengths.max())), np.int32)
    for row, one in zip(padded, labels, strict=True):
        row[: len(one)] = one
    return padded, lengths


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """The training examples, and the order, augmented copies and transforms in which an epoch shows them.

    Order, copies and draws depend only on ``seed``, the epoch and the utterance, so training can resume at any step of
    an epoch.

    Attributes:
        examples: the utterances to train on.
        batch_frames: maximum number of frames in a padded batch.
        seed: seed of order, copies and transforms.
        transforms: applied one after the other to the features of each example, drawn anew in each epoch. One that
            changes the length comes first, so that its draw is known when examples of similar length are batched.
        frames_needed: per example, the fewest frames of features that can spell it; a transform that would leave fewer
            is not applied.
    """

    examples: Sequence[Example]
    batch_frames: float
    seed: int
    transforms: Sequence[Transform]
    frames_needed: Sequence[int]

    def order(self, epoch: int) -> list[list[int]]:
        """Return the batches of an epoch, each a list of indices of examples."""
        frames = [self._frames(epoch, i) for i in range(len(self.examples))]
        return batches_by_frames(frames, self.batch_frames, (self.seed, epoch))

    def batches(self, epoch: int, start: int = 0, *, part: int = 0, parts: int = 1) -> Iterator[Batch]:
        """Yield the batches of ``epoch`` from step ``start`` on, and prefetch the next ones meanwhile.

        One worker of several gets ``part`` (from 0) of ``parts`` of each batch, as `distribution.shared` splits it.
        """
        waiting: deque[Future[Batch]] = deque()
        with ThreadPoolExecutor(_THREADS) as pool:
            try:
                for indices in self.order(epoch)[start:]:
                    waiting.append(pool.submit(self._batch, epoch, indices, part, parts))
                    if len(waiting) > _PREFETCHED:
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
        example, rng = self._copy(epoch, index), self._rng(epoch, index)
        features = example.features
        for transform in self.transforms:
            changed = transform(features, rng)
            features = changed if len(changed) >= self.frames_needed[index] else features
        return replace(example, raw=features, cmvn=None, altered=())

    def _frames(self, epoch: int, index: int) -> int:
        """Return how many frames ``_transformed`` will have."""
        frames = self._copy(epoch, index).num_frames
        if self.transforms and isinstance(stretch := self.transforms[0], TimeStretch):
            stretched = stretch.frames(frames, self._rng(epoch, index))
            return stretched if stretched >= self.frames_needed[index] else frames
        return frames

    def _copy(self, epoch: int, index: int) -> Example:
        example, seed = self.examples[index], (self.seed, epoch, index, _COPY_DRAW)
        return example.draw_copy(np.random.default_rng(seed)) if example.altered else example

    def _rng(self, epoch: int, index: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, epoch, index))
