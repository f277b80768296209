"""The options of a training run, one class for each group of ``conf/``; each class refuses impossible values.

Names, types and defaults of settings stand here, in `asr.features.options` and in `asr.data.augment.options` alone:
``asr train`` gives these classes to Hydra as structured configs, and the files of ``conf/`` mirror them. Nothing here
imports TensorFlow, so that a configuration can be composed and shown without it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from asr.checks import check_choice, check_list, check_number
from asr.data import Utterance, read_manifest
from asr.data.augment import AugmentOptions
from asr.errors import ConfigError
from asr.features import FEATURES, LogMel, PowerSpectrogram
from asr.text import find_normaliser, normalise
from asr.text.normalisers import FOR_TRAINING
from asr.typed import from_tree, nearest


@dataclass(frozen=True)
class DataOptions:
    """The utterances of the training set and the dev set, and how they are read.

    Attributes:
        train: the manifests to train on.
        dev: the manifest that is evaluated after each epoch; None for none.
        dev_speakers: the speakers of ``train`` who form the dev set instead of training.
        held_out_speakers: the speakers of ``train`` kept for a test, in neither the training nor the dev set.
        normaliser: the name of the normaliser for the transcripts.
        allow_loss: whether to train even if the normaliser loses digits, symbols or letters of transcripts.
        faulty: the action when the pre-flight finds faulty utterances: ``refuse`` to train, or ``drop`` them.
        batch_s: the largest number of seconds of padded audio in a batch.
        cache_dir: the folder that stores features, also for other runs; None to compute them each time and keep them in
            memory.
        lexicon: a pronouncing dictionary (see `asr.text.read_lexicon`) of the transcripts' words, for a network that
            also outputs phones; None for characters alone.
    """

    train: Sequence[str]
    dev: str | None = None
    dev_speakers: Sequence[str] = ()
    held_out_speakers: Sequence[str] = ()
    normaliser: str = FOR_TRAINING
    allow_loss: bool = False
    faulty: str = "refuse"
    batch_s: float = 120.0
    lexicon: str | None = None
    cache_dir: str | None = "cache/features"

    def __post_init__(self) -> None:
        """Refuse a choice there is none of."""
        find_normaliser(self.normaliser)
        if not isinstance(self.allow_loss, bool):
            raise ConfigError(f"data.allow_loss is true or false, got {self.allow_loss!r}")
        check_choice("data.faulty", self.faulty, ("refuse", "drop"))
        check_number("data.batch_s", self.batch_s, 1e-3)
        if self.cache_dir is not None and not (isinstance(self.cache_dir, str) and self.cache_dir):
            raise ConfigError(f"data.cache_dir is a folder's name or null, got {self.cache_dir!r}")
        check_list("data.train", self.train)
        check_list("data.dev_speakers", self.dev_speakers)
        check_list("data.held_out_speakers", self.held_out_speakers)
        if self.dev and self.dev_speakers:
            raise ConfigError("data.dev and data.dev_speakers are both given; the dev set is one or the other")
        if both := sorted({*self.dev_speakers} & {*self.held_out_speakers}):
            raise ConfigError(f"{', '.join(both)} cannot be of data.dev_speakers and of data.held_out_speakers")

    def split(self) -> tuple[list[Utterance], list[Utterance]]:
        """Return the training and the dev utterances, with normalised texts.

        Raises:
            ManifestError, ConfigError: as ``split_as_written`` raises them.
        """
        train, dev = self.split_as_written()
        return self.normalised(train), self.normalised(dev)

    def split_as_written(self) -> tuple[list[Utterance], list[Utterance]]:
        """Return the training and the dev utterances, with texts as in the manifests.

        Raises:
            ManifestError: a manifest has bad lines.
            ConfigError: no manifest contains one of the speakers.
        """
        everyone = [u for path in self.train for u in read_manifest(path)]
        apart = {*self.dev_speakers, *self.held_out_speakers}
        if unknown := apart - {u.speaker for u in everyone}:
            raise ConfigError(f"no utterance in {', '.join(self.train)} is by {', '.join(sorted(unknown))}")
        train = [u for u in everyone if u.speaker not in apart]
        dev = read_manifest(self.dev) if self.dev else [u for u in everyone if u.speaker in set(self.dev_speakers)]
        return train, dev

    def held_out(self) -> list[Utterance]:
        """Return the utterances of the speakers held out, with normalised texts.

        Raises:
            ManifestError: a manifest has bad lines.
        """
        apart = {*self.held_out_speakers}
        return self.normalised([u for path in self.train for u in read_manifest(path) if u.speaker in apart])

    def normalised(self, utterances: Sequence[Utterance]) -> list[Utterance]:
        """Return the utterances with their texts as the normaliser writes them."""
        return [replace(u, text=normalise(u.text, self.normaliser)) for u in utterances]


@dataclass(frozen=True)
class ConvolutionOptions:
    """One convolution in front of the recurrent layers.

    Attributes:
        filters: the number of output channels.
        kernel: the size of the kernel in frames and in features, both odd.
        stride: the stride in frames and in features.
    """

    filters: int
    kernel: tuple[int, int]
    stride: tuple[int, int]


@dataclass(frozen=True)
class ModelOptions:
    """The network, as `asr.models.AcousticModel` takes it.

    Attributes:
        cell: the cell of the recurrent layers, such as ``lstm``.
        units: the number of units of each recurrent layer, in one direction.
        bidirectional: whether each layer also reads the utterance from its end.
        convolution: the convolutions before the recurrent layers.
        dropout: the share of a layer's inputs that is dropped.
        layer_norm: whether the inputs of each recurrent layer and of the output are normalised.
    """

    cell: str = "lstm"
    units: Sequence[int] = (256, 256, 256)
    bidirectional: bool = True
    convolution: Sequence[ConvolutionOptions] = (
        ConvolutionOptions(32, (5, 5), (2, 2)),
        ConvolutionOptions(32, (3, 3), (1, 2)),
    )
    dropout: float = 0.3
    layer_norm: bool = True

    def __post_init__(self) -> None:
        """Refuse numbers out of range."""
        for place, units in enumerate(self.units):
            check_number(f"model.units[{place}]", units, 1, whole=True)
        check_number("model.dropout", self.dropout, 0, 0.99)


@dataclass(frozen=True)
class OptimizerOptions:
    """AdamW (Loshchilov & Hutter 2019) with linear warm-up and cosine decay to zero.

    Attributes:
        learning_rate: the highest learning rate.
        warmup: the share of all steps before the learning rate reaches it.
        weight_decay: the decay of the weights per step, which is multiplied by the learning rate.
    """

    learning_rate: float = 0.001
    warmup: float = 0.05
    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        """Refuse numbers out of range."""
        check_number("optimizer.learning_rate", self.learning_rate, 0)
        check_number("optimizer.warmup", self.warmup, 0, 0.99)
        check_number("optimizer.weight_decay", self.weight_decay, 0)

    def at(self, progress: float) -> float:
        """Return the learning rate after the fraction ``progress`` of training.

        >>> [round(OptimizerOptions(1.0, warmup=0.2).at(p), 2) for p in (0, 0.1, 0.2, 0.6, 1)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
        """
        if progress < self.warmup:
            return self.learning_rate * progress / self.warmup
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * (progress - self.warmup) / (1 - self.warmup)))


@dataclass(frozen=True)
class TrainerOptions:
    """The limits of training, its checkpoints, the final weights, precision and devices.

    Attributes:
        epochs: the largest number of passes over the training set; the learning rate's schedule spans them.
        max_minutes: the largest wall time of this call's training, in minutes; None for no limit. The same command
            continues later.
        clip_norm: the global norm to which larger gradients are scaled down.
        patience: the number of epochs without a better dev WER after which training stops; None for no such stop. It
            needs a dev set.
        average: the number of epochs whose weights are averaged at the end.
        average_of: the epochs to average: the ``best`` by dev WER, or the ``last``, which are also used without a dev
            set.
        checkpoint_minutes: the minutes between checkpoints within an epoch; each epoch also ends with one.
        seed: the seed of initial weights, dropout, order and augmentation.
        precision: the precision of the network; weights, loss and the recurrent layers' loops are always float32.
        strategy: the devices: ``mirrored`` for all GPUs of this machine, ``multi_worker`` for those of several, or
            ``auto``.
    """

    epochs: int = 60
    max_minutes: float | None = None
    clip_norm: float = 1.0
    patience: int | None = None
    average: int = 5
    average_of: str = "best"
    checkpoint_minutes: float = 10.0
    seed: int = 0
    precision: str = "float32"
    strategy: str = "auto"

    def __post_init__(self) -> None:
        """Refuse a choice there is none of, and numbers out of range."""
        check_choice("trainer.precision", self.precision, ("float32", "mixed_bfloat16", "mixed_float16"))
        check_choice("trainer.strategy", self.strategy, ("auto", "mirrored", "multi_worker"))
        check_choice("trainer.average_of", self.average_of, ("best", "last"))
        check_number("trainer.epochs", self.epochs, 1, whole=True)
        check_number("trainer.average", self.average, 1, whole=True)
        check_number("trainer.seed", self.seed, 0, whole=True)
        check_number("trainer.clip_norm", self.clip_norm, 1e-9)
        check_number("trainer.checkpoint_minutes", self.checkpoint_minutes, 0)
        if self.max_minutes is not None:
            check_number("trainer.max_minutes", self.max_minutes, 0)
        if self.patience is not None:
            check_number("trainer.patience", self.patience, 1, whole=True)


@dataclass(frozen=True)
class TrainingOptions:
    """All options of a training run; each field is a group of settings."""

    data: DataOptions
    features: PowerSpectrogram = LogMel()
    augment: AugmentOptions = AugmentOptions()
    model: ModelOptions = ModelOptions()
    optimizer: OptimizerOptions = OptimizerOptions()
    trainer: TrainerOptions = TrainerOptions()

    @classmethod
    def from_tree(cls, tree: Mapping[str, Any]) -> TrainingOptions:
        """Build the options from a mapping of groups, as a configuration or a run's ``config.json`` holds it.

        Raises:
            ConfigError: a key is unknown, or a value makes no sense.
        """
        options = from_tree(cls, {name: group for name, group in tree.items() if name != "features"})
        return replace(options, features=features_from_tree(tree["features"])) if "features" in tree else options


def features_from_tree(tree: Mapping[str, Any]) -> PowerSpectrogram:
    """Build the features that ``tree["kind"]`` names.

    Raises:
        ConfigError: no features have this kind, a key is unknown, or a value makes no sense.
    """
    kind = str(tree.get("kind", LogMel.kind))
    if kind not in FEATURES:
        raise ConfigError(f"no features {kind!r}{nearest(kind, list(FEATURES))}")
    return from_tree(FEATURES[kind], tree, "features")
