"""A whole training run from plain options: from manifests to examples to a trained model in a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import keras
import numpy as np

from asr.arrays import Features
from asr.data import Utterance
from asr.data.augment import AugmentOptions, Transform
from asr.errors import AudioError, ConfigError, TrainingError
from asr.features import Cmvn, FrontEnd, Normaliser, SmoothedCmvn, UtteranceCmvn, freeze
from asr.models import AcousticModel
from asr.options import DataOptions, ModelOptions, TrainerOptions, TrainingOptions
from asr.text import Vocabulary, read_lexicon
from asr.training.augmented_copies import with_augmented_copies
from asr.training.dataset import Example, TrainingSet, compute_features
from asr.training.distribution import Devices, find_devices
from asr.training.preflight import Fault, find_faults, loss_summary, lost_texts, refuse
from asr.training.record import check_unchanged, record_of
from asr.training.reports import Observer
from asr.training.run_folder import finished, held, same_run
from asr.training.setup import Setup, save_setup
from asr.training.targets import Targets
from asr.training.trainer import Trainer
from asr.training.warm_start import origin, take_over
from asr.typed import to_tree

__all__ = ["finished", "run_training", "same_run"]

PRIOR_FRAMES = 40.0
"""Weight of the global mean in smoothed normalisation: an utterance of this many frames counts half."""


def make_model(
    num_features: int, vocabulary_size: int, options: ModelOptions, precision: str = "float32", phones: int = 0
) -> AcousticModel:
    """Make the acoustic model of ``options``, which computes in ``precision``.

    Raises:
        ConfigError: the options are invalid.
    """
    try:
        return AcousticModel(num_features, vocabulary_size, phones=phones, **to_tree(options), dtype=precision)
    except (TypeError, ValueError) as fault:
        raise ConfigError(f"model: {fault}") from fault


def run_training(
    folder: str | Path,
    options: TrainingOptions,
    *,
    start: Callable[[], Setup] | None = None,
    observers: Sequence[Observer] = (),
    config: Mapping[str, Any],
) -> str:
    """Train in ``folder``, or go on where a run of the same options stopped there.

    Args:
        folder: folder for set-up, checkpoints and weights.
        options: options of data, features, augmentation, model, optimizer and trainer.
        start: opens a trained model whose weights, vocabulary and normalisation this run begins with, once devices are
            found, which must be before TensorFlow's first operation; None to begin anew.
        observers: objects that receive the reports of steps and epochs.
        config: the whole configuration as given, for the record.

    Returns:
        Why it stopped: ``epochs``, ``patience`` or ``minutes``.

    Raises:
        PreflightError: utterances cannot be trained on.
        TrainingError: there is nothing to train on, the loss is not finite, or another worker is gone.
        ConfigError: an option makes no sense, the run there has others, or another process trains there.
    """
    folder = Path(folder)
    devices = find_devices(options.trainer.strategy)
    begun = start() if start else None
    with devices.watched(), held(folder) if devices.chief else nullcontext():
        if devices.chief:
            same_run(folder, config)
        keras.utils.set_random_seed(options.trainer.seed)
        ready = _prepare(folder, options, begun, config, devices)
        return Trainer(
            ready.setup.model,
            ready.training_set,
            ready.dev_set,
            ready.setup.vocabulary,
            folder,
            options=options.trainer,
            optimizer=options.optimizer,
            observers=observers,
            devices=devices,
        ).fit()


@dataclass(frozen=True, eq=False)
class _Ready:
    """What a trainer needs: the model with all that it is used with, the training set, and the dev set."""

    setup: Setup
    training_set: TrainingSet
    dev_set: Sequence[Example]


def _prepare(
    folder: Path, options: TrainingOptions, begun: Setup | None, config: Mapping[str, Any], devices: Devices
) -> _Ready:
    """Check what the run learns from, set up the model, and write the set-up to the run folder."""
    data = options.data
    front_end = freeze(options.features)
    augmentation = _Augmentation.of(options.augment, front_end)
    sets = _read_sets(data, options.trainer)
    targets = _targets(sets.train, data.lexicon, begun)
    model = _model_of(front_end, targets, options, devices)
    learned = _checked(sets, front_end, targets, model, data)
    cmvn = _normaliser(options.features.cmvn, learned.features)
    if begun:
        cmvn = take_over(begun, model, front_end, cmvn)
    record = record_of(
        learned.utterances,
        sets.dev,
        learned.faults,
        targets,
        parameters=int(model.count_params()),
        config=config,
        seed=options.trainer.seed,
        began_with=origin(begun) if begun else None,
    )
    check_unchanged(folder, record)
    setup = Setup(model, front_end, cmvn, targets.vocabulary, data.normaliser, record, targets.phones)
    if devices.chief:
        save_setup(folder, setup, record)
    training_set = _training_set(learned, setup, targets, options, augmentation)
    return _Ready(setup, training_set, _dev_examples(sets.dev, front_end, cmvn, data.cache_dir))


@dataclass(frozen=True)
class _Augmentation:
    """The transforms of features, and the recordings of noise and voices that are mixed into augmented copies."""

    transforms: Sequence[Transform]
    noise: Sequence[Utterance]
    voices: Sequence[Utterance]

    @classmethod
    def of(cls, options: AugmentOptions, front_end: FrontEnd) -> _Augmentation:
        return cls(options.transforms(front_end), *options.recordings())


@dataclass(frozen=True)
class _Sets:
    """The utterances of the training and the dev set, their texts normalised.

    Attributes:
        train: the training set.
        dev: the dev set, without what is in ``dev_lost``.
        lost: the utterances of ``train``, by place, of whose text the normaliser loses something.
        dev_lost: the utterances of the dev set, likewise.
    """

    train: Sequence[Utterance]
    dev: Sequence[Utterance]
    lost: Mapping[int, Fault]
    dev_lost: Mapping[int, Fault]


def _read_sets(data: DataOptions, trainer: TrainerOptions) -> _Sets:
    """Read the manifests; refuse texts that lose something, unless that is allowed or they are dropped."""
    written, dev_written = data.split_as_written()
    lost, dev_lost = _lost(written, data), _lost(dev_written, data)
    train = data.normalised(written)
    dev = data.normalised([u for place, u in enumerate(dev_written) if place not in dev_lost])
    _check_sets(train, dev, trainer)
    return _Sets(train, dev, lost, dev_lost)


def _model_of(front_end: FrontEnd, targets: Targets, options: TrainingOptions, devices: Devices) -> AcousticModel:
    """Make the model on all devices, its weights drawn anew."""
    phones = len(targets.phones or ())
    with devices.strategy.scope():
        return make_model(
            front_end.num_features, len(targets.vocabulary), options.model, options.trainer.precision, phones
        )


def _targets(train: Sequence[Utterance], lexicon: str | None, begun: Setup | None) -> Targets:
    """Return the targets of the starting model, or else of all characters in the texts and phones in the lexicon."""
    vocabulary = begun.vocabulary if begun else Vocabulary.from_texts(u.text for u in train)
    if lexicon is None:
        return Targets(vocabulary)
    words = read_lexicon(lexicon)
    phones = begun.phones if begun and begun.phones else words.phones
    learned = {word for u in train for word in u.text.split() if word in words.pronunciations}
    if unheard := {phone for word in learned for phone in words.pronunciations[word][0]} - {*phones.symbols}:
        raise ConfigError(
            f"init_from has the phones {' '.join(phones.symbols)}; {lexicon} has {' '.join(sorted(unheard))} too; "
            "make the lexicon from the same source"
        )
    return Targets(vocabulary, phones, words)


def _check_sets(train: Sequence[Utterance], dev: Sequence[Utterance], trainer: TrainerOptions) -> None:
    if not any(u.text for u in train):
        raise TrainingError(
            "no utterance with a text is left to train on; see data.train, data.normaliser and the speakers held out"
        )
    if trainer.patience is not None and not dev:
        raise ConfigError("trainer.patience needs a dev set; give data.dev or data.dev_speakers")
    if dev and not any(u.text for u in dev):
        raise ConfigError("no utterance of the dev set has a text, so nothing can be evaluated; see data.dev")


def _lost(written: Sequence[Utterance], data: DataOptions) -> dict[int, Fault]:
    """Return, by place, the utterances of whose text the normaliser loses something; refuse them unless allowed.

    ``written`` have their texts as the manifests have them. Where all of them lose something, none can be dropped.
    """
    lost = {} if data.allow_loss else lost_texts(written, data.normaliser)
    if data.faulty == "refuse" or len(lost) == len(written):
        refuse(lost.values(), len(written), loss_summary(written, data.normaliser))
    return lost


@dataclass(frozen=True, eq=False)
class _Learned:
    """The utterances to train on, their features, and the faults of those that are left out, dev's included."""

    utterances: Sequence[Utterance]
    features: Sequence[Features]
    faults: Sequence[Fault]


def _checked(sets: _Sets, front_end: FrontEnd, targets: Targets, model: AcousticModel, data: DataOptions) -> _Learned:
    """Return the utterances without faults, and their features; refuse faults unless they are dropped."""
    utterances = sets.train
    features = compute_features(utterances, front_end, data.cache_dir)
    faults = {**find_faults(utterances, features, targets, model.output_lengths), **sets.lost}
    if data.faulty == "refuse" or len(faults) == len(utterances):
        refuse(faults.values(), len(utterances))
    good = [i for i in range(len(utterances)) if i not in faults]
    return _Learned(
        [utterances[i] for i in good],
        [f for f in map(features.__getitem__, good) if _is_array(f)],
        [*faults.values(), *sets.dev_lost.values()],
    )


def _is_array(features: Features | AudioError) -> TypeGuard[Features]:
    return isinstance(features, np.ndarray)


def _normaliser(kind: str, features: Sequence[Features]) -> Normaliser:
    if kind == "utterance":
        return UtteranceCmvn()
    return Cmvn.fit(features) if kind == "global" else SmoothedCmvn(Cmvn.fit(features), PRIOR_FRAMES)


def _training_set(
    learned: _Learned, setup: Setup, targets: Targets, options: TrainingOptions, augmentation: _Augmentation
) -> TrainingSet:
    """Return the training set, with augmented copies if there are to be any."""
    augment, front_end = options.augment, setup.front_end
    examples = [
        Example(u, f, targets.characters(u.text), setup.cmvn, phones=targets.phone_labels(u.text))
        for u, f in zip(learned.utterances, learned.features, strict=True)
    ]
    needed = [targets.frames_needed(u.text) * setup.model.time_reduction for u in learned.utterances]
    if augment.copies:
        voices = augmentation.voices or learned.utterances
        alteration = augment.alteration(options.trainer.seed, augmentation.noise, voices)
        examples = with_augmented_copies(
            examples, needed, front_end, alteration, augment.copies, options.data.cache_dir
        )
    batch_frames = options.data.batch_s * front_end.sample_rate / front_end.hop_length
    return TrainingSet(examples, batch_frames, options.trainer.seed, augmentation.transforms, needed)


def _dev_examples(
    dev: Sequence[Utterance], front_end: FrontEnd, cmvn: Normaliser, cache_dir: str | None
) -> list[Example]:
    """Make dev examples without labels, so that their texts may have any character; each must be readable.

    Raises:
        AudioError: a recording cannot be read.
    """
    examples = []
    for utterance, features in zip(dev, compute_features(dev, front_end, cache_dir), strict=True):
        if isinstance(features, AudioError):
            raise features
        examples.append(Example(utterance, features, np.zeros(0, np.int32), cmvn))
    return examples
