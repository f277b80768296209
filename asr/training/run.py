"""A whole training run from plain options: from manifests to examples to a trained model in a folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeGuard

import keras
import numpy as np

from asr.card import PartFigures
from asr.data import Utterance
from asr.errors import AudioError, ConfigError, TrainingError
from asr.features import Cmvn, FrontEnd, Normaliser, SmoothedCmvn, UtteranceCmvn, freeze
from asr.models import AcousticModel
from asr.options import DataOptions, ModelOptions, TrainerOptions, TrainingOptions
from asr.provenance import provenance
from asr.run_record import SETUP, DataFigures, Dropped, RunRecord, read_setup
from asr.text import Vocabulary, read_lexicon
from asr.training.augmented_copies import with_augmented_copies
from asr.training.dataset import Example, TrainingSet, compute_features
from asr.training.distribution import find_devices
from asr.training.preflight import Fault, find_faults, loss_summary, lost_texts, refuse
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
    data, augment, trainer = options.data, options.augment, options.trainer
    devices = find_devices(trainer.strategy)
    begun = start() if start else None
    with devices.watched(), held(folder) if devices.chief else nullcontext():
        if devices.chief:
            same_run(folder, config)
        keras.utils.set_random_seed(trainer.seed)
        front_end = freeze(options.features)
        transforms = augment.transforms(front_end)
        noise, voices = augment.recordings()
        written, dev_written = data.split_as_written()
        lost, dev_lost = _lost(written, data), _lost(dev_written, data)
        train = data.normalised(written)
        dev = data.normalised([u for place, u in enumerate(dev_written) if place not in dev_lost])
        _check_sets(train, dev, trainer)
        targets = _targets(train, data.lexicon, begun)
        with devices.strategy.scope():
            acoustic = make_model(
                front_end.num_features,
                len(targets.vocabulary),
                options.model,
                trainer.precision,
                len(targets.phones or ()),
            )
        train, raw, faults = _checked(train, lost, front_end, targets, acoustic, data)
        faults = [*faults, *dev_lost.values()]
        normaliser = _normaliser(options.features.cmvn, raw)
        if begun:
            normaliser = take_over(begun, acoustic, front_end, normaliser)
        record = _record(train, dev, targets, faults, acoustic, config, trainer.seed, begun)
        _check_unchanged(folder, record)
        if devices.chief:
            setup = Setup(acoustic, front_end, normaliser, targets.vocabulary, data.normaliser, record, targets.phones)
            save_setup(folder, setup, record)
        examples = [
            Example(u, f, targets.characters(u.text), normaliser, phones=targets.phone_labels(u.text))
            for u, f in zip(train, raw, strict=True)
        ]
        needed = [targets.frames_needed(u.text) * acoustic.time_reduction for u in train]
        if augment.copies:
            alteration = augment.alteration(trainer.seed, noise, voices or train)
            examples = with_augmented_copies(examples, needed, front_end, alteration, augment.copies, data.cache_dir)
        batch_frames = data.batch_s * front_end.sample_rate / front_end.hop_length
        training_set = TrainingSet(examples, batch_frames, trainer.seed, transforms, needed)
        dev_set = _dev_examples(dev, front_end, normaliser, data.cache_dir)
        return Trainer(
            acoustic,
            training_set,
            dev_set,
            targets.vocabulary,
            folder,
            options=trainer,
            optimizer=options.optimizer,
            observers=observers,
            devices=devices,
        ).fit()


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


def _checked(
    utterances: Sequence[Utterance],
    lost: Mapping[int, Fault],
    front_end: FrontEnd,
    targets: Targets,
    model: AcousticModel,
    data: DataOptions,
) -> tuple[list[Utterance], list[np.ndarray], Collection[Fault]]:
    """Return the utterances without faults, their features, and the faults; refuse these unless they are dropped.

    ``lost``, by place, are faults of texts that are known already.
    """
    features = compute_features(utterances, front_end, data.cache_dir)
    faults = {**find_faults(utterances, features, targets, model.output_lengths), **lost}
    if data.faulty == "refuse" or len(faults) == len(utterances):
        refuse(faults.values(), len(utterances))
    good = [i for i in range(len(utterances)) if i not in faults]
    return [utterances[i] for i in good], [f for f in map(features.__getitem__, good) if _is_array(f)], faults.values()


def _is_array(features: np.ndarray | AudioError) -> TypeGuard[np.ndarray]:
    return isinstance(features, np.ndarray)


def _normaliser(kind: str, features: Sequence[np.ndarray]) -> Normaliser:
    if kind == "utterance":
        return UtteranceCmvn()
    return Cmvn.fit(features) if kind == "global" else SmoothedCmvn(Cmvn.fit(features), PRIOR_FRAMES)


def _check_unchanged(folder: Path, record: RunRecord) -> None:
    """Check that a resumed run has the utterances, labels and starting weights with which it began.

    Raises:
        ConfigError: the manifests have changed, or ``init_from`` now has other weights.
    """
    if not (folder / SETUP).is_file() or not any((folder / "checkpoints").glob("[0-9]*.json")):
        return
    before = read_setup(folder).record
    first, again = (r.began_with.weights_sha256 if r.began_with else "" for r in (before, record))
    if first and first != again:
        raise ConfigError(f"{folder} began with other weights than init_from has now; name another run_dir")
    sets = {"train": (before.data.train, record.data.train), "dev": (before.data.dev, record.data.dev)}
    for name, (then, now) in sets.items():
        if then not in (now, replace(now, said_sha256=None)):  # runs of before have no digest of the phones
            raise ConfigError(
                f"{folder} began with other {name} utterances ({then.utterances}, {then.hours} h; "
                f"now {now.utterances}, {now.hours} h), or other pronunciations; "
                "restore manifests and lexicon, or name another run_dir"
            )


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


def _record(
    train: Sequence[Utterance],
    dev: Sequence[Utterance],
    targets: Targets,
    faults: Collection[Fault],
    model: AcousticModel,
    config: Mapping[str, Any],
    seed: int,
    begun: Setup | None,
) -> RunRecord:
    """Return the record of how the model is made."""
    dropped = tuple(Dropped(fault.id, fault.reason) for fault in faults)
    return RunRecord(
        **provenance(seed),
        tensorflow=version("tensorflow"),
        config=config,
        data=DataFigures(replace(_figures(train), said_sha256=_said_sha256(train, targets)), _figures(dev), dropped),
        parameters=int(model.count_params()),
        began_with=origin(begun) if begun else None,
    )


def _said_sha256(train: Sequence[Utterance], targets: Targets) -> str | None:
    """Return a digest of the phones to be learned, if any: a lexicon may be corrected between two calls."""
    if targets.phones is None:
        return None
    digest = hashlib.sha256(" ".join(targets.phones.symbols).encode())
    for utterance in train:
        digest.update(targets.phone_labels(utterance.text).tobytes() + b"\n")
    return digest.hexdigest()


def _figures(utterances: Sequence[Utterance]) -> PartFigures:
    """Return number, hours and speakers of utterances, and a digest of their ids, times and texts."""
    content = [[u.id, u.offset, u.duration, u.text] for u in utterances]
    return PartFigures(
        utterances=len(utterances),
        hours=round(sum(u.duration for u in utterances) / 3600, 4),
        speakers=len({u.speaker for u in utterances}),
        sha256=hashlib.sha256(json.dumps(content).encode()).hexdigest(),
    )
