"""Atomic writing of files, their checksums, and the folders that are installed with the package."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from asr.errors import ConfigError
from asr.staging import temporary_file


@contextmanager
def write_atomically(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path; when the block succeeds, ``path`` has what was written to it, whole.

    The temporary file lies beside ``path`` and is synced and renamed to it. If the block raises, ``path`` stays as it
    was and the temporary file is deleted; what a killed writer left is deleted by the next writer of ``path``.

    A symbolic link stays one, and its target is written. A file keeps its mode and, where this user may give files
    away, its owner; a new one has the mode that the umask leaves. A device, a pipe or a standard stream of this process
    is not replaced: the bytes are written into it.

    Raises:
        OSError: with the name of ``path``, also where a write to the temporary file failed in the block.
    """
    path = Path(path)
    old = _status(path)
    if old is not None:
        _refuse(path, old)
    is_node = old is not None and (not stat.S_ISREG(old.st_mode) or _standard_stream(old) is not None)
    with _written_into(path) if is_node else _renamed_to(path, old) as temporary:
        try:
            yield temporary
        except OSError as fault:
            if fault.filename not in (None, str(temporary)):
                raise
            raise _of(path, fault) from fault


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` atomically in UTF-8, with its line ends as they are.

    The bytes of a file's name that is not UTF-8, which Python keeps as surrogates, are written as they are on disk.
    """
    with write_atomically(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="surrogateescape", newline="\n")


def to_json(content: Any, indent: int | None = None) -> str:
    r"""Return ``content`` as JSON, in which only the bytes of names that are not UTF-8 are escaped.

    >>> to_json({"café": "a\udcff.wav"})
    '{"café": "a\\udcff.wav"}'
    """
    text = json.dumps(content, ensure_ascii=False, indent=indent)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def write_json(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write ``content`` atomically as JSON, indented so that people can read it."""
    write_text(path, to_json(content, indent=1) + "\n")


def _status(path: Path) -> os.stat_result | None:
    """Return the status of what ``path`` names, links followed; None if it does not exist yet."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _refuse(path: Path, old: os.stat_result) -> None:
    """Refuse a folder, and a file that this user may not write, which a rename would replace all the same."""
    if stat.S_ISDIR(old.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not os.access(path, os.W_OK, effective_ids=True):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def _standard_stream(status: os.stat_result) -> int | None:
    """Return the descriptor of standard output or error if it is the file of ``status``, else None."""
    for descriptor in (1, 2):
        with suppress(OSError):
            if os.path.samestat(status, os.fstat(descriptor)):
                return descriptor
    return None


@contextmanager
def _written_into(path: Path) -> Iterator[Path]:
    """Yield a temporary path elsewhere, whose bytes are written into ``path`` at the end."""
    with tempfile.TemporaryDirectory(prefix="asr-") as folder:
        temporary = Path(folder) / path.name
        temporary.touch()
        yield temporary
        try:
            with _opened(path) as descriptor, open(temporary, "rb") as source:
                shutil.copyfileobj(source, descriptor)
        except OSError as fault:
            raise _of(path, fault) from fault


def _opened(path: Path) -> AbstractContextManager[Any]:
    stream = _standard_stream(path.stat())
    if stream is None:
        return open(path, "wb")
    # What was printed before comes first, and what is printed later follows.
    (sys.stdout if stream == 1 else sys.stderr).flush()
    return open(stream, "wb", closefd=False)


@contextmanager
def _renamed_to(path: Path, old: os.stat_result | None) -> Iterator[Path]:
    """Yield a temporary path beside the file that ``path`` names, to which it is renamed at the end."""
    target = Path(os.path.realpath(path))
    with ExitStack() as stack:
        try:
            mode = 0o666 if old is None else 0o600 | old.st_mode & 0o777
            temporary = stack.enter_context(temporary_file(target, mode))
        except OSError as fault:
            raise _of(path, fault) from fault
        yield temporary
        try:
            if old is not None:
                _make_like(temporary, old)
            sync(temporary)
            temporary.replace(target)
            sync(target.parent)
        except OSError as fault:
            raise _of(path, fault) from fault


def _make_like(new: Path, old: os.stat_result) -> None:
    """Give ``new`` the mode of the old file and, where this user may, its owner."""
    status = new.stat()
    if (status.st_uid, status.st_gid) != (old.st_uid, old.st_gid):
        with suppress(PermissionError):
            os.chown(new, old.st_uid, old.st_gid)
    new.chmod(stat.S_IMODE(old.st_mode))


def _of(path: Path, fault: OSError) -> OSError:
    """Return ``fault`` with the name of ``path`` in place of another file's, or of none."""
    return OSError(fault.errno or errno.EIO, fault.strerror or str(fault), str(path))


def sync(path: Path) -> None:
    """Write to the disk what the system still holds of a file, or of the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as fault:
        if fault.errno not in (errno.EINVAL, errno.ENOTSUP):  # how some network file systems say that they cannot
            raise
    finally:
        os.close(descriptor)


def files_below(
    folder: str | Path, failed: Callable[[OSError], object], hidden: Callable[[str], object] = lambda path: None
) -> Iterator[Path]:
    """Yield every file below ``folder``, sorted; links to folders are followed, and each folder is visited once.

    Args:
        folder: where to search.
        failed: gets the error of a folder that cannot be listed.
        hidden: gets the path of each hidden file, such as macOS's ``._NAME``, or folder; they are left out.
    """
    visited: set[str] = set()
    for place, folders, names in os.walk(folder, onerror=failed, followlinks=True):
        visited.add(os.path.realpath(place))
        for name in [name for name in sorted([*folders, *names]) if name.startswith(".")]:
            hidden(os.path.join(place, name))
        shown = sorted(f for f in folders if not f.startswith("."))
        folders[:] = [f for f in shown if os.path.realpath(os.path.join(place, f)) not in visited]
        yield from (Path(place, name) for name in sorted(names) if not name.startswith("."))


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def share_folder(name: str) -> Path:
    """Find the folder ``conf`` or ``recipes``: beside the package in a checkout, inside it in an installed wheel.

    Raises:
        ConfigError: the folder is in neither place; the installation is damaged.
    """
    package = Path(__file__).parent
    places = [package / "_share" / name, package.parent / name]
    for place in places:
        if place.is_dir():
            return place
    raise ConfigError(f"no folder {name}/ in {' or '.join(map(str, places))}; install asr again")
