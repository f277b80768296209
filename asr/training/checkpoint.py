"""Checkpoints: everything that training needs to resume, written atomically and verified when read.

A checkpoint is two files, ``000123.npz`` (arrays) and ``000123.json`` (state, and the SHA-256 of the arrays). Each is
written under a temporary name, synced and renamed, the JSON last: without it, or with arrays of another checksum, the
checkpoint is ignored and the one before is used.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from asr.errors import CheckpointError
from asr.files import sha256_of, write_atomically, write_text
from asr.stored_arrays import read_arrays
from asr.stored_json import read_json

FINAL = "final.npz"
"""Name of the file in a run folder that holds the final weights."""

KEPT = 2
_NAME = re.compile(r"([0-9]{6,12})\.(json|npz)")


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The arrays of a checkpoint by name, and a state that JSON can hold."""

    arrays: Mapping[str, np.ndarray]
    state: Mapping[str, Any]


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> str:
    """Write a .npz file atomically and return its SHA-256.

    Raises:
        CheckpointError: the disk is full, or the folder cannot be written; ``path`` is then unchanged.
    """
    try:
        with write_atomically(path) as temporary, open(temporary, "wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
    except OSError as fault:
        raise _unwritten(path, fault) from fault
    return sha256_of(path)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of a .npz file.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    try:
        return read_arrays(path)
    except (OSError, ValueError) as fault:
        raise CheckpointError(f"{path}: the arrays cannot be read ({fault})") from fault


def save_checkpoint(folder: Path, number: int, checkpoint: Checkpoint) -> None:
    """Write checkpoint ``number`` (numbers rise), then remove all others except the one before it.

    Higher numbers are removed too: they were found damaged, and training resumed from an earlier checkpoint.

    Raises:
        CheckpointError: the disk is full, or the folder cannot be written; the previous checkpoint is unchanged.
    """
    path = folder / f"{number:06}.npz"
    index = path.with_suffix(".json")
    digest = save_arrays(path, checkpoint.arrays)
    try:
        write_text(index, json.dumps({"sha256": digest, "state": checkpoint.state}))
    except OSError as fault:
        raise _unwritten(index, fault) from fault
    kept = [n for n in numbers_of(folder) if n <= number][-KEPT:]
    for old in folder.iterdir():
        if (named := _NAME.fullmatch(old.name)) and int(named[1]) not in kept:
            old.unlink(missing_ok=True)


def numbers_of(folder: Path) -> list[int]:
    """Return the numbers of the checkpoints in ``folder``, in order; other files there count for nothing."""
    names = (_NAME.fullmatch(path.name) for path in folder.glob("*.json"))
    return sorted(int(name[1]) for name in names if name)


def load_checkpoint(folder: Path) -> Checkpoint | None:
    """Return the newest undamaged checkpoint, or None when there is none, and warn about newer ones that are damaged.

    Raises:
        CheckpointError: there are checkpoints, but all are damaged.
    """
    faults: list[str] = []
    for index in (folder / f"{number:06}.json" for number in reversed(numbers_of(folder))):
        try:
            content = read_json(index)
            arrays = index.with_suffix(".npz")
            if sha256_of(arrays) == content["sha256"]:
                checkpoint = Checkpoint(load_arrays(arrays), dict(content["state"]))
                for fault in faults:
                    logging.getLogger(__name__).warning("%s: %s; the one before is used", folder, fault)
                return checkpoint
            faults.append(f"{arrays.name} has another SHA-256 than {index.name} says")
        except (OSError, ValueError, KeyError, TypeError, CheckpointError) as fault:
            faults.append(f"{index.name}: {fault}")
    if faults:
        raise CheckpointError(f"{folder}: no checkpoint is whole ({'; '.join(faults)}); start anew in another run_dir")
    return None


def _unwritten(path: Path, fault: OSError) -> CheckpointError:
    reason = fault.strerror or str(fault)
    return CheckpointError(f"{path} cannot be written ({reason}); make room, and the same command goes on")
