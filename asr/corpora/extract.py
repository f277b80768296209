"""Safe unpacking of an untrusted archive: only regular files and folders, all below one folder."""

from __future__ import annotations

import errno
import gzip
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

from asr.errors import DiskSpaceError, DownloadError, UnsafeArchiveError


def extract(archive: Path, folder: Path) -> None:
    """Unpack the tar file ``archive`` into ``folder``: all of it or, when something is wrong with it, nothing.

    Files of the same name are replaced, others stay.

    Raises:
        UnsafeArchiveError: a member is absolute, climbs out by ``..``, or is a link, a device or a pipe.
        DiskSpaceError: the disk has no room.
        DownloadError: the file is no tar archive, or damaged.
    """
    with _named_faults(archive), tempfile.TemporaryDirectory(dir=folder, prefix=f".{archive.name}.") as staging:
        with tarfile.open(archive) as tar:
            for member in tar:
                _check(archive, member)
                _check_room(archive, member, folder)
                tar.extract(member, staging, filter="data")
            _read_to_end(tar)
        _merge(Path(staging), folder)


@contextmanager
def _named_faults(archive: Path) -> Iterator[None]:
    try:
        yield
    except tarfile.FilterError as fault:
        raise UnsafeArchiveError(f"{archive}: {fault}; nothing was unpacked") from fault
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as fault:
        # tarfile lists the error of each decompressor on further lines.
        words = str(fault).partition(":\n")[0]
        raise DownloadError(f"{archive}: is no whole tar archive: {words}; delete it and download again") from fault
    except OSError as fault:
        if fault.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskSpaceError(f"{archive}: the disk is full; make room and run the command again") from fault
        raise DownloadError(f"{archive}: cannot be unpacked: {fault}") from fault


def _check(archive: Path, member: tarfile.TarInfo) -> None:
    name = member.name
    if name.startswith(("/", "\\")) or PureWindowsPath(name).drive:
        fault = "is absolute"
    elif ".." in PurePosixPath(name).parts or ".." in PureWindowsPath(name).parts:
        fault = "climbs out of its folder"
    elif not (member.isreg() or member.isdir()):
        fault = "is neither a regular file nor a folder"
    else:
        return
    raise UnsafeArchiveError(
        f"{archive}: member {name!r} {fault}; nothing was unpacked. No edition of the corpus has such a member: "
        "delete the archive and download it from its home"
    )


def _check_room(archive: Path, member: tarfile.TarInfo, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if member.size > free:
        raise DiskSpaceError(
            f"{archive}: member {member.name!r} needs {member.size / 1e6:,.1f} MB, {free / 1e6:,.1f} MB are free; "
            "make room and run the command again"
        )


def _read_to_end(tar: tarfile.TarFile) -> None:
    """Read the rest of the file, so that the decompressor verifies its checksum, which tarfile does not reach."""
    while tar.fileobj is not None and tar.fileobj.read(1 << 20):
        pass


def _merge(source: Path, target: Path) -> None:
    """Move what is in ``source`` into ``target``; whole folders at once where ``target`` has none of the name."""
    for path in sorted(source.iterdir()):
        place = target / path.name
        if path.is_dir() and place.is_dir():
            _merge(path, place)
        else:
            os.replace(path, place)
