"""What a run folder holds beside checkpoints: all that is needed to use the model, and how it was made."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr.errors import CheckpointError
from asr.features import Cmvn, FrontEnd, UtteranceCmvn, cmvn_from_arrays
from asr.files import write_atomically
from asr.models import AcousticModel
from asr.text import Vocabulary
from asr.training.checkpoint import load_arrays, load_checkpoint, save_arrays
from asr.training.trainer import FINAL


@dataclass(frozen=True, eq=False)
class Setup:
    """A model with what stands before and after it.

    Attributes:
        model: features → logits.
        front_end: samples → features.
        cmvn: their normalisation.
        vocabulary: labels ↔ characters.
        record: how it was made: the configuration, the data's figures, commit, seed.
    """

    model: AcousticModel
    front_end: FrontEnd
    cmvn: Cmvn | UtteranceCmvn
    vocabulary: Vocabulary
    record: Mapping[str, Any]


def save_setup(folder: Path, setup: Setup) -> None:
    """Write everything but the weights, ``setup.json`` last."""
    save_arrays(folder / "front_end.npz", setup.front_end.to_arrays())
    save_arrays(folder / "cmvn.npz", setup.cmvn.to_arrays())
    _write(folder / "vocabulary.json", setup.vocabulary.to_json())
    content = {"model": setup.model.options, "record": setup.record}
    _write(folder / "setup.json", json.dumps(content, indent=1, ensure_ascii=False))


def load_trained(folder: str | Path) -> Setup:
    """The model of a run folder with its final weights, or the newest checkpoint's while it still trains.

    Raises:
        CheckpointError: the folder is no run, or has neither.
    """
    folder = Path(folder)
    try:
        content = json.loads((folder / "setup.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise CheckpointError(f"{folder} is no run folder: setup.json cannot be read ({fault})") from fault
    model = AcousticModel(**content["model"])
    arrays = _weights(folder)
    for index, variable in enumerate(model.variables):
        variable.assign(arrays[f"{index:03}"])
    return Setup(
        model,
        FrontEnd.from_arrays(load_arrays(folder / "front_end.npz")),
        cmvn_from_arrays(load_arrays(folder / "cmvn.npz")),
        Vocabulary.from_json((folder / "vocabulary.json").read_text(encoding="utf-8")),
        content["record"],
    )


def _weights(folder: Path) -> dict[str, Any]:
    if (folder / FINAL).is_file():
        return load_arrays(folder / FINAL)
    checkpoint = load_checkpoint(folder / "checkpoints")
    if checkpoint is None:
        raise CheckpointError(f"{folder} has no checkpoint yet; train first")
    prefix = "model/"
    return {n.removeprefix(prefix): a for n, a in checkpoint.arrays.items() if n.startswith(prefix)}


def _write(path: Path, text: str) -> None:
    with write_atomically(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
