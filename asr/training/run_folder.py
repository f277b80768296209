"""Whose run a folder holds, who is at work in it, and whether it is done."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from asr.errors import CheckpointError, ConfigError
from asr.files import write_json

_LIMITS = {
    "run_dir",
    "init_from",
    "trainer.max_minutes",
    "trainer.checkpoint_minutes",
    "trainer.strategy",
    "data.cache_dir",
    "data.allow_loss",
}
"""What may change between calls; a folder may also be moved, or named another way. A start is told by its weights."""

_TORN = (".*.npz.*", ".*.json.*")
"""Names of files half written (``asr.files.write_atomically``)."""


@contextmanager
def held(folder: str | Path) -> Iterator[None]:
    """Keep every other process from training in ``folder`` meanwhile; temporary files that a killed one left go.

    The kernel holds the lock (flock on ``folder/.lock``) for this process, and lets go when it ends, however it ends.

    Raises:
        ConfigError: another process trains there; it is named.
        CheckpointError: the disk was full at something written meanwhile.
    """
    folder = Path(folder)
    with room_needed(folder), open(_made(folder) / ".lock", "a+", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            raise ConfigError(f"{holder} is training in {folder}; let it end, or name another run_dir") from None
        lock.truncate(0)
        print(f"process {os.getpid()} on {platform.node()}", file=lock, flush=True)
        for torn in (t for pattern in _TORN for t in folder.rglob(pattern)):
            torn.unlink(missing_ok=True)
        yield


@contextmanager
def room_needed(folder: str | Path) -> Iterator[None]:
    """Say of a full disk what to do; writing being atomic, all that was there is there.

    Raises:
        CheckpointError: the disk was full, or the user's quota used up.
    """
    try:
        yield
    except OSError as fault:
        if fault.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise CheckpointError(f"{folder}: {fault.strerror}; make room, and the same command goes on") from fault


def finished(folder: str | Path) -> bool:
    """Whether the run in ``folder`` has its final weights."""
    return (Path(folder) / "final.json").is_file()


def same_run(folder: Path, config: Mapping[str, Any]) -> None:
    """Note ``config`` in a new run folder, or check that the run there has the same one.

    A setting that came after the run began is as before where it asks for nothing: 0, null or [].
    A run is there from its first checkpoint on; what was refused before may be mended by another option. The limits
    ``trainer.max_minutes`` and ``trainer.checkpoint_minutes`` may change between calls.

    Raises:
        ConfigError: the run there was started with other options; each is named.
    """
    path = folder / "config.json"
    if not path.is_file() or not _begun(folder):
        write_json(path, config)
        return
    before, now = _flat(json.loads(path.read_text(encoding="utf-8"))), _flat(config)
    keys = (before.keys() | now.keys()) - _LIMITS
    changed = sorted(k for k in keys if before.get(k) != now.get(k) and (k in before or now[k]))
    if changed:
        shown = ", ".join(f"{k}: {before.get(k)!r} then, {now.get(k)!r} now" for k in changed)
        raise ConfigError(f"{folder} holds a run with other options ({shown}); name another with run_dir=…")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _begun(folder: Path) -> bool:
    return finished(folder) or any((folder / "checkpoints").glob("[0-9]*.json"))


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
