"""A whole training run from plain options: manifests → examples → trained model in a folder."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from asr.data import Utterance, read_manifest
from asr.data.augment import FrequencyWarp, SpecAugment, TimeStretch, Transform
from asr.errors import AudioError, ConfigError, TrainingError
from asr.features import Cmvn, FrontEnd, LogMel, Mfcc, PowerSpectrogram, UtteranceCmvn
from asr.files import write_atomically
from asr.models import AcousticModel
from asr.provenance import provenance
from asr.text import Vocabulary, normalise
from asr.training.ctc import frames_needed
from asr.training.dataset import Example, TrainingSet, compute_features
from asr.training.preflight import Fault, find_faults, refuse
from asr.training.setup import Setup, save_setup
from asr.training.trainer import Observer, OptimizerOptions, Trainer, TrainerOptions

FEATURES = {"log_mel": LogMel, "mfcc": Mfcc, "power_spectrogram": PowerSpectrogram}


@dataclass(frozen=True)
class DataOptions:
    """Which utterances train, which judge.

    Attributes:
        train: manifests to train on.
        dev: manifest to judge by after each epoch, None for none.
        dev_speakers: speakers of ``train`` who judge instead of training.
        held_out_speakers: speakers of ``train`` kept for a test, so neither train nor judge.
        normaliser: of transcripts, by name.
        faulty: ``refuse`` to train when the pre-flight finds faults, or ``drop`` those utterances.
    """

    train: Sequence[str]
    dev: str | None = None
    dev_speakers: Sequence[str] = ()
    held_out_speakers: Sequence[str] = ()
    normaliser: str = "upper_letters"
    faulty: str = "refuse"

    def __post_init__(self) -> None:
        """Refuse a choice there is none of."""
        if self.faulty not in ("refuse", "drop"):
            raise ConfigError(f"data.faulty is refuse or drop, got {self.faulty!r}")
        if self.dev and self.dev_speakers:
            raise ConfigError("data.dev and data.dev_speakers are both given; the dev set is one or the other")

    def split(self) -> tuple[list[Utterance], list[Utterance]]:
        """Training and dev utterances, their texts normalised.

        Raises:
            ManifestError: a manifest has bad lines.
            ConfigError: a speaker is in no manifest.
        """
        everyone = [u for path in self.train for u in read_manifest(path)]
        apart = {*self.dev_speakers, *self.held_out_speakers}
        if unknown := apart - {u.speaker for u in everyone}:
            raise ConfigError(f"no utterance in {', '.join(self.train)} is by {', '.join(sorted(unknown))}")
        train = [u for u in everyone if u.speaker not in apart]
        dev = read_manifest(self.dev) if self.dev else [u for u in everyone if u.speaker in set(self.dev_speakers)]
        return self._normalised(train), self._normalised(dev)

    def _normalised(self, utterances: Sequence[Utterance]) -> list[Utterance]:
        return [replace(u, text=normalise(u.text, self.normaliser)) for u in utterances]


@dataclass(frozen=True)
class AugmentOptions:
    """How much of each transform; zero leaves it out. See ``asr.data.augment`` for the units."""

    frequency_warp: float = 0.0
    time_stretch: float = 0.0
    frequency_masks: int = 0
    frequency_width: int = 0
    time_masks: int = 0
    time_share: float = 0.0

    def transforms(self, front_end: FrontEnd) -> list[Transform]:
        """In the order in which they are applied.

        Raises:
            ConfigError: frequencies of cepstra cannot be warped.
        """
        chosen: list[Transform] = []
        if self.frequency_warp:
            if front_end.centres_hz is None:
                raise ConfigError("augment.frequency_warp needs bands of frequency, and cepstra have none; set it to 0")
            chosen.append(FrequencyWarp(front_end.centres_hz, self.frequency_warp))
        if self.time_stretch:
            chosen.append(TimeStretch(self.time_stretch))
        if self.frequency_masks or self.time_masks:
            masks = (self.frequency_masks, self.frequency_width, self.time_masks, self.time_share)
            chosen.append(SpecAugment(*masks))
        return chosen


def make_front_end(kind: str, **options: Any) -> FrontEnd:
    """Frozen features by name: log_mel, mfcc, power_spectrogram.

    Raises:
        ConfigError: there is no such kind.
    """
    if kind not in FEATURES:
        raise ConfigError(f"no features {kind!r}; there are {', '.join(FEATURES)}")
    return FEATURES[kind](**options).front_end()


def run_training(
    folder: str | Path,
    *,
    data: DataOptions,
    features: Mapping[str, Any],
    cmvn: str,
    model: Mapping[str, Any],
    augment: AugmentOptions,
    optimizer: OptimizerOptions,
    trainer: TrainerOptions,
    batch_s: float,
    observers: Sequence[Observer] = (),
    config: Mapping[str, Any],
) -> str:
    """Train in ``folder``, or go on where a run of the same options stopped there.

    Args:
        folder: gets set-up, checkpoints, weights.
        data: manifests and their split.
        features: ``kind`` and its options.
        cmvn: ``utterance`` or ``global``.
        model: the acoustic model's options.
        augment: of the training features.
        optimizer: and its learning rate's schedule.
        trainer: when to stop and what to keep.
        batch_s: most seconds of padded audio in a batch.
        observers: who is told of steps and epochs.
        config: the whole configuration as given, for the record.

    Returns:
        Why it stopped: ``epochs``, ``patience`` or ``minutes``.

    Raises:
        PreflightError: utterances cannot be trained on.
        TrainingError: there is nothing to train on, or the loss is not finite.
        ConfigError: an option makes no sense.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(trainer.seed)
    front_end = make_front_end(**features)
    train, dev = data.split()
    if not train:
        raise TrainingError("no utterance is left to train on; see data.train and the speakers held out")
    vocabulary = Vocabulary.from_texts(u.text for u in train)
    acoustic = AcousticModel(front_end.num_features, len(vocabulary), **model)
    raw = compute_features(train, front_end)
    train, raw, faults = _checked(train, raw, vocabulary, acoustic, drop=data.faulty == "drop")
    normaliser = Cmvn.fit(raw) if cmvn == "global" else UtteranceCmvn()
    examples = [_example(u, f, normaliser, vocabulary) for u, f in zip(train, raw, strict=True)]
    record = {
        "config": config,
        "data": _figures(train, dev, faults),
        "parameters": int(acoustic.count_params()),
        **provenance(trainer.seed),
    }
    save_setup(folder, Setup(acoustic, front_end, normaliser, vocabulary, record))
    training_set = TrainingSet(
        examples,
        batch_s,
        trainer.seed,
        augment.transforms(front_end),
        [frames_needed(e.labels) * acoustic.time_reduction for e in examples],
    )
    judge = Trainer(
        acoustic,
        training_set,
        _dev_examples(dev, front_end, normaliser),
        vocabulary,
        folder,
        options=trainer,
        optimizer=optimizer,
        observers=observers,
    )
    return judge.fit()


def _checked(
    utterances: list[Utterance],
    features: list[np.ndarray | AudioError],
    vocabulary: Vocabulary,
    model: AcousticModel,
    *,
    drop: bool,
) -> tuple[list[Utterance], list[np.ndarray], list[Fault]]:
    """The utterances without faults; refuses faults unless they are to be dropped."""
    faults = find_faults(utterances, [u.text for u in utterances], features, vocabulary, model.output_lengths)
    if not drop:
        refuse(faults, len(utterances))
    bad = {f.id for f in faults}
    good = [(u, f) for u, f in zip(utterances, features, strict=True) if u.id not in bad and isinstance(f, np.ndarray)]
    if not good:
        refuse(faults, len(utterances))
    return [u for u, _ in good], [f for _, f in good], faults


def _example(
    utterance: Utterance, features: np.ndarray, cmvn: Cmvn | UtteranceCmvn, vocabulary: Vocabulary | None
) -> Example:
    labels = vocabulary.encode(utterance.text) if vocabulary else np.zeros(0, np.int32)
    return Example(utterance, cmvn(features), labels)


def _dev_examples(dev: Sequence[Utterance], front_end: FrontEnd, cmvn: Cmvn | UtteranceCmvn) -> list[Example]:
    """Dev utterances need no labels, so any character may stand in them, but each must be readable.

    Raises:
        AudioError: the first one that is not.
    """
    examples = []
    for utterance, features in zip(dev, compute_features(dev, front_end), strict=True):
        if isinstance(features, AudioError):
            raise features
        examples.append(_example(utterance, features, cmvn, None))
    return examples


def _figures(train: Sequence[Utterance], dev: Sequence[Utterance], faults: Sequence[Fault]) -> dict[str, Any]:
    def of(utterances: Sequence[Utterance]) -> dict[str, Any]:
        return {
            "utterances": len(utterances),
            "hours": round(sum(u.duration for u in utterances) / 3600, 4),
            "speakers": len({u.speaker for u in utterances}),
        }

    return {"train": of(train), "dev": of(dev), "dropped": [asdict(f) for f in faults]}


class EventLog:
    """Observer: one JSON line an epoch in ``log.jsonl``, and TensorBoard events of every step."""

    def __init__(self, folder: Path) -> None:
        import tensorflow as tf

        self.path = folder / "log.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        self.writer = tf.summary.create_file_writer(str(folder / "events"))

    def on_step(self, report: Any) -> None:
        """Loss, gradient norm, learning rate and speed as scalars."""
        self._scalars(report, report.total_steps, "train", ("loss", "gradient_norm", "learning_rate", "audio_s_per_s"))

    def on_epoch(self, report: Any) -> None:
        """Dev WER and CER as scalars, and the line."""
        if report.dev:
            self._scalars(report.dev, report.total_steps, "dev", ("wer", "cer"))
        self.writer.flush()
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps({"time": time.time(), **asdict(report)}, ensure_ascii=False) + "\n")

    def _scalars(self, report: Any, step: int, group: str, names: Sequence[str]) -> None:
        import tensorflow as tf

        with self.writer.as_default():
            for name in names:
                tf.summary.scalar(f"{group}/{name}", getattr(report, name), step=step)


def finished(folder: str | Path) -> bool:
    """Whether the run in ``folder`` has its final weights."""
    return (Path(folder) / "final.json").is_file()


def same_run(folder: Path, config: Mapping[str, Any]) -> None:
    """Note ``config`` in a new run folder, or check that the run there has the same one.

    Limits may change between calls: ``trainer.max_minutes`` and ``trainer.checkpoint_minutes``.

    Raises:
        ConfigError: the run there was started with other options; each is named.
    """
    path = folder / "config.json"
    if not path.is_file():
        with write_atomically(path) as temporary:
            temporary.write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return
    before, now = _flat(json.loads(path.read_text(encoding="utf-8"))), _flat(config)
    limits = {"trainer.max_minutes", "trainer.checkpoint_minutes"}
    changed = sorted(k for k in before.keys() | now.keys() if before.get(k) != now.get(k) and k not in limits)
    if changed:
        shown = ", ".join(f"{k}: {before.get(k)!r} then, {now.get(k)!r} now" for k in changed)
        raise ConfigError(f"{folder} holds a run with other options ({shown}); name another with run_dir=…")


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
