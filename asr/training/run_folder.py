"""A run folder: its configuration, the lock of the process that trains in it, and whether the run has finished."""

from __future__ import annotations

import errno
import fcntl
import os
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from asr.errors import CheckpointError, ConfigError
from asr.files import write_json
from asr.staging import sweep
from asr.stored_json import read_json

_LIMITS = {
    "run_dir",
    "init_from",
    "trainer.max_minutes",
    "trainer.checkpoint_minutes",
    "trainer.strategy",
    "data.cache_dir",
    "data.allow_loss",
}
"""Settings that may change between calls. A folder may be moved; of ``init_from`` the weights are compared."""


@contextmanager
def held(folder: str | Path) -> Iterator[None]:
    """Lock ``folder`` so that no other process trains in it, and remove temporary files that a killed process left.

    The kernel holds the lock (flock on ``folder/.lock``) and releases it when this process ends, however it ends.

    Raises:
        ConfigError: another process is training there; the message names it.
        CheckpointError: the disk was full when something was written under the lock.
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
        for inner in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
            sweep(inner.absolute())
        yield


@contextmanager
def room_needed(folder: str | Path) -> Iterator[None]:
    """Report a full disk with what to do; since files are written atomically, earlier ones are unchanged.

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
    """Return whether the run in ``folder`` has its final weights."""
    return (Path(folder) / "final.json").is_file()


def same_run(folder: Path, config: Mapping[str, Any]) -> None:
    """Note ``config`` in a new run folder, or check that the run there has the same one.

    A setting that is missing from the stored configuration counts as unchanged if it is empty now (0, null or []).
    Before the first checkpoint any option may change. The settings in ``_LIMITS``, such as ``trainer.max_minutes``, may
    change at any time.

    Raises:
        ConfigError: the run there was started with other options; each is named.
    """
    path = folder / "config.json"
    if not path.is_file() or not _begun(folder):
        write_json(path, config)
        return
    try:
        before, now = _flat(dict(read_json(path))), _flat(config)
    except (OSError, ValueError, TypeError) as fault:
        raise CheckpointError(f"{path}: cannot be read: {fault}; name another run_dir") from fault
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
