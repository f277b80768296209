"""Temporary files and folders beside what they will replace, and their removal after a kill.

A temporary name is ``.NAME.XXXXXXXX.asr-tmp``. Its maker holds a lock on it (flock), which the system releases when the
process ends, however it ends. So whoever can lock such a file or folder knows that its maker is gone, and removes it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from pathlib import Path

_SUFFIX = ".asr-tmp"
_REPLACED = ".asr-replaced"


@contextmanager
def temporary_file(path: Path, mode: int = 0o666) -> Iterator[Path]:
    """Yield an empty file beside ``path``, with its own name; if it is still there after the block, it is removed.

    It has ``mode`` but for what the umask takes away.
    """
    with _held(path, partial(_new_file, mode=mode)) as made:
        try:
            yield made
        finally:
            made.unlink(missing_ok=True)


@contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside ``path``, with its own name; if it is still there after the block, it is removed."""
    with _held(path, _new_folder) as made:
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)


def replace_folder(new: Path, folder: Path) -> None:
    """Rename ``new`` to ``folder``, which may exist.

    A folder cannot be renamed over a full one, so the old one is moved aside first. A kill between the two renames
    leaves it there, and ``recover_folder`` brings it back.
    """
    aside = _aside(folder)
    recover_folder(folder)
    if not folder.exists():
        new.rename(folder)
        return
    with _locked(folder):
        shutil.rmtree(aside, ignore_errors=True)
        folder.rename(aside)
        new.rename(folder)
    shutil.rmtree(aside)


def recover_folder(folder: Path) -> None:
    """Restore the ``folder`` that a killed ``replace_folder`` moved aside; wait for one that is at work."""
    with suppress(OSError, ValueError):  # It is not there, may not be written, or has no name: nothing to bring back.
        aside = _aside(folder)
        if not folder.exists() and aside.is_dir():
            with _locked(aside):
                if not folder.exists():
                    aside.rename(folder)


def _aside(folder: Path) -> Path:
    folder = Path(os.path.abspath(folder))
    return folder.with_name(f".{folder.name}{_REPLACED}")


@contextmanager
def _held(path: Path, make: Callable[[Path], tuple[Path, int]]) -> Iterator[Path]:
    """Make a temporary file or folder, and hold its lock."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path.parent.absolute())
    made, descriptor = make(path)
    try:
        _lock(descriptor)
        while not made.exists():  # Another process took it for a dead one's before it was locked.
            os.close(descriptor)
            made, descriptor = make(path)
            _lock(descriptor)
        yield made
    finally:
        os.close(descriptor)


def _new_file(path: Path, mode: int) -> tuple[Path, int]:
    made = path.with_name(f"{_prefix(path)}{secrets.token_hex(4)}{_SUFFIX}")
    return made, os.open(made, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)


def _new_folder(path: Path) -> tuple[Path, int]:
    name = tempfile.mkdtemp(dir=path.parent, prefix=_prefix(path), suffix=_SUFFIX)
    return Path(name), os.open(name, os.O_RDONLY)


def _prefix(path: Path) -> str:
    """Return ``.NAME.``, cut where the temporary name would be longer than file systems allow."""
    name = path.name
    while len(os.fsencode(name)) > 200:
        name = name[:-1]
    return f".{name}."


def _lock(descriptor: int) -> None:
    with suppress(OSError):  # Where a file system has no locks, nothing is ever taken for stale.
        fcntl.flock(descriptor, fcntl.LOCK_EX)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


@cache
def sweep(folder: Path) -> None:
    """Remove the temporary files and folders in ``folder`` whose makers are gone; once in the life of this process."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") and entry.name.endswith(_SUFFIX) and not entry.is_symlink():
                _remove_if_stale(Path(entry.path))


def _remove_if_stale(path: Path) -> None:
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        finally:
            os.close(descriptor)
