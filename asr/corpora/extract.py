"""Safe unpacking of an untrusted archive: only regular files and folders, all below one folder."""

from __future__ import annotations

import errno
import gzip
import lzma
import os
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath

from asr.errors import DiskSpaceError, DownloadError, UnsafeArchiveError
from asr.staging import temporary_folder

_MOST_RATIO = 20
_MOST_UNPACKED = 100_000_000
"""An archive may unpack to so many bytes, and so many times its size; compressed recordings do to about their size."""

_LONGEST_NAME = 1024
_MOST_RECORD = 1 << 20
"""Bytes of a long name, or of a member's other properties."""

_DAMAGED = (
    tarfile.TarError,
    EOFError,
    zlib.error,
    gzip.BadGzipFile,
    lzma.LZMAError,
    ValueError,
    OverflowError,
    RecursionError,
)
"""Errors of the standard library from reading what is no archive, NaN for a time and nesting without end among them."""


def extract(archive: Path, folder: Path) -> None:
    """Unpack the tar file ``archive`` into ``folder``: all of it or, when something is wrong with it, nothing.

    Files of the same name are replaced, others stay.

    Raises:
        UnsafeArchiveError: a member is absolute, climbs out by ``..``, or is a link, a device or a pipe, or they unpack
            to many times the archive's size.
        DiskSpaceError: the disk has no room.
        DownloadError: the file is no tar archive, or damaged, or a file of it has the name of a folder that is there.
    """
    with _named_faults(archive), temporary_folder(folder / archive.name) as staging:
        most = _MOST_UNPACKED + _MOST_RATIO * archive.stat().st_size
        with tarfile.open(archive, tarinfo=_Member) as tar:
            for member in tar:
                _check(archive, member)
                _check_room(archive, member, folder)
                if tar.offset > most or tar.offset + member.size > most:
                    raise UnsafeArchiveError(f"{archive}: unpacks to more than {most / 1e6:,.0f} MB; delete it")
                tar.extract(member, staging, filter="data")
                tar.members = []  # type: ignore[attr-defined]  # else tarfile keeps a record of every member
            _read_to_end(tar)
        _check_places(archive, staging, folder)
        _merge(staging, folder)


class _Member(tarfile.TarInfo):
    """A member whose names and records are bounded: tarfile reads them into memory, however long they claim to be."""

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        if not (self.isreg() or self.isdir()) and not 0 <= self.size <= _MOST_RECORD:
            raise tarfile.ReadError(f"a record of {self.size:,} bytes")
        if self.size < 0:
            raise tarfile.ReadError(f"a member of {self.size} bytes")
        member: tarfile.TarInfo = super()._proc_member(tar)  # type: ignore[misc]
        return member


@contextmanager
def _named_faults(archive: Path) -> Iterator[None]:
    try:
        yield
    except tarfile.FilterError as fault:
        raise UnsafeArchiveError(f"{archive}: {fault}; nothing was unpacked") from fault
    except _DAMAGED as fault:
        # tarfile lists the error of each decompressor on further lines.
        words = str(fault).partition(":\n")[0] or repr(fault)
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
    elif len(os.fsencode(name)) > _LONGEST_NAME:
        fault, name = f"has a name of {len(name):,} characters", f"{name[:40]}…"
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


def _check_places(archive: Path, source: Path, target: Path) -> None:
    """Refuse what cannot be moved, before anything is: a file where a folder is, or the other way round."""
    for path in source.iterdir():
        place = target / path.name
        if place.is_symlink() or (place.exists() and path.is_dir() != place.is_dir()):
            kind = "a folder" if path.is_dir() else "a file"
            raise DownloadError(
                f"{archive}: has {kind} where {place} is something else; move that away; nothing was unpacked"
            )
        if path.is_dir() and place.is_dir():
            _check_places(archive, path, place)


def _merge(source: Path, target: Path) -> None:
    """Move what is in ``source`` into ``target``; whole folders at once where ``target`` has none of the name."""
    for path in sorted(source.iterdir()):
        place = target / path.name
        if path.is_dir() and place.is_dir():
            _merge(path, place)
        else:
            os.replace(path, place)
