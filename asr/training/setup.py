"""The files of a run folder beside its checkpoints: all that is needed to use the model, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from asr.card import ModelCard
from asr.errors import CheckpointError, ConfigError, VocabularyError
from asr.features import FrontEnd, Normaliser, cmvn_from_arrays
from asr.files import write_json, write_text
from asr.models import AcousticModel
from asr.run_record import SETUP, RunRecord, StoredSetup, read_setup
from asr.text import Phones, Vocabulary
from asr.training.checkpoint import FINAL, load_arrays, load_checkpoint, save_arrays
from asr.training.tensor import Variable


@dataclass(frozen=True, eq=False)
class Setup:
    """A model with its front end, normalisation and vocabulary.

    Attributes:
        model: computes logits from features.
        front_end: computes features from samples.
        cmvn: normalises the features.
        vocabulary: maps between labels and characters.
        normaliser: the name of the text normaliser that transcripts were written by.
        record: how it was made: the record of its run, or the card of its bundle.
        phones: the phones that the model outputs beside characters, None where it outputs none.
    """

    model: AcousticModel
    front_end: FrontEnd
    cmvn: Normaliser
    vocabulary: Vocabulary
    normaliser: str
    record: RunRecord | ModelCard
    phones: Phones | None = None


def save_setup(folder: Path, setup: Setup, record: RunRecord) -> None:
    """Write everything but the weights, ``setup.json`` with ``record`` last."""
    save_arrays(folder / "front_end.npz", setup.front_end.to_arrays())
    save_arrays(folder / "cmvn.npz", setup.cmvn.to_arrays())
    write_text(folder / "vocabulary.json", setup.vocabulary.to_json() + "\n")
    phones = setup.phones.symbols if setup.phones else None
    stored = StoredSetup(setup.model.options, setup.normaliser, record, phones)
    write_json(folder / SETUP, stored.to_json())


def load_trained(folder: str | Path) -> Setup:
    """Load the model of a run folder with its final weights, or with the newest checkpoint while it still trains.

    Raises:
        CheckpointError: the folder is not a run folder, or has no weights yet.
    """
    folder = Path(folder)
    stored = read_setup(folder)
    try:
        model = AcousticModel(**stored.model)
        phones = Phones(stored.phones) if stored.phones is not None else None
        vocabulary = Vocabulary.from_json((folder / "vocabulary.json").read_text(encoding="utf-8"))
        front_end = FrontEnd.from_arrays(load_arrays(folder / "front_end.npz"))
        cmvn = cmvn_from_arrays(load_arrays(folder / "cmvn.npz"), front_end.num_features)
    except (OSError, ValueError, KeyError, TypeError, VocabularyError, ConfigError) as fault:
        raise CheckpointError(f"{folder} is no run folder: {fault}; train anew, or name another") from fault
    assign(named(model.variables), _weights(folder))
    return Setup(model, front_end, cmvn, vocabulary, stored.normaliser, stored.record, phones)


def named(variables: Sequence[Variable]) -> dict[str, Variable]:
    """Name variables by their index, since Keras' own paths depend on how many models the process has made."""
    return {f"{i:03}": v for i, v in enumerate(variables)}


def assign(variables: Mapping[str, Variable], arrays: Mapping[str, np.ndarray]) -> None:
    """Assign to each variable the array of its name.

    Raises:
        CheckpointError: the names or shapes differ; then nothing is assigned.
    """
    wanted = {n: tuple(v.shape) for n, v in variables.items()}
    if wanted != {n: a.shape for n, a in arrays.items()}:
        raise CheckpointError("the stored weights are of another model; name another run_dir")
    for name, variable in variables.items():
        variable.assign(arrays[name])


def _weights(folder: Path) -> dict[str, np.ndarray]:
    if (folder / FINAL).is_file():
        return load_arrays(folder / FINAL)
    checkpoint = load_checkpoint(folder / "checkpoints")
    if checkpoint is None:
        raise CheckpointError(f"{folder} has no checkpoint yet; train first")
    prefix = "model/"
    return {n.removeprefix(prefix): a for n, a in checkpoint.arrays.items() if n.startswith(prefix)}
