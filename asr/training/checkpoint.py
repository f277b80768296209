"""Checkpoints: all that training needs to go on, written whole, verified when read.

A checkpoint is two files, ``000123.npz`` (arrays) and ``000123.json`` (state, and the SHA-256 of the arrays). Each is
written under a temporary name, synced and renamed, the JSON last: without it, or with arrays of another checksum, the
checkpoint does not count and the one before is used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from asr.errors import CheckpointError
from asr.files import sha256_of, write_atomically

KEPT = 2


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Arrays by name, and a JSON-able state."""

    arrays: Mapping[str, np.ndarray]
    state: Mapping[str, Any]


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> str:
    """Write a .npz atomically; its SHA-256."""
    with write_atomically(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    return sha256_of(path)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read a .npz."""
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def save_checkpoint(folder: Path, number: int, checkpoint: Checkpoint) -> None:
    """Write checkpoint ``number`` (rising), then remove all but the newest two."""
    path = folder / f"{number:06}.npz"
    digest = save_arrays(path, checkpoint.arrays)
    with write_atomically(path.with_suffix(".json")) as temporary:
        temporary.write_text(json.dumps({"sha256": digest, "state": checkpoint.state}), encoding="utf-8")
    for old in sorted(folder.glob("[0-9]*.json"))[:-KEPT]:
        old.unlink()
        old.with_suffix(".npz").unlink(missing_ok=True)


def load_checkpoint(folder: Path) -> Checkpoint | None:
    """The newest checkpoint whose checksum holds; None when there has never been one.

    Raises:
        CheckpointError: there are checkpoints, and none is whole.
    """
    indices = sorted(folder.glob("[0-9]*.json"), reverse=True)
    faults = []
    for index in indices:
        try:
            content = json.loads(index.read_text(encoding="utf-8"))
            arrays = index.with_suffix(".npz")
            if sha256_of(arrays) == content["sha256"]:
                return Checkpoint(load_arrays(arrays), content["state"])
            faults.append(f"{arrays.name} has another SHA-256 than {index.name} says")
        except (OSError, ValueError, KeyError) as fault:
            faults.append(f"{index.name}: {fault}")
    if faults:
        raise CheckpointError(f"{folder}: no checkpoint is whole ({'; '.join(faults)}); start anew in another run_dir")
    return None


def mean_of(paths: list[Path]) -> dict[str, np.ndarray]:
    """The average of the floating arrays of several .npz files, the other arrays of the last."""
    total = load_arrays(paths[-1])
    for path in paths[:-1]:
        for name, array in load_arrays(path).items():
            if np.issubdtype(array.dtype, np.floating):
                total[name] = total[name] + array
    return {n: a / len(paths) if np.issubdtype(a.dtype, np.floating) else a for n, a in total.items()}
