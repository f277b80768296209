"""Unpacking: what is safe arrives whole, what is not leaves no trace."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections import namedtuple
from pathlib import Path

import pytest

from asr.corpora.extract import extract
from asr.errors import DiskSpaceError, DownloadError, UnsafeArchiveError

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "corpora").mkdir()
    return tmp_path / "corpora"


@pytest.fixture
def archive(folder, tar):
    """Write an archive into ``folder``."""

    def write(*contents) -> Path:
        (folder / "a.tar.gz").write_bytes(tar(*contents))
        return folder / "a.tar.gz"

    return write


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def tree(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != "a.tar.gz")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_files_and_folders_arrive(archive, folder):
    extract(archive({"L/a/1.txt": b"one", "L/README": b"r"}, member("L/empty", tarfile.DIRTYPE)), folder)
    assert tree(folder) == {"L/a/1.txt": b"one", "L/README": b"r"}
    assert (folder / "L/empty").is_dir()


def test_a_second_part_of_a_corpus_joins_the_first(archive, folder):
    extract(archive({"L/dev/1": b"one", "L/README": b"old"}), folder)
    extract(archive({"L/train/2": b"two", "L/README": b"new"}), folder)
    assert tree(folder) == {"L/dev/1": b"one", "L/train/2": b"two", "L/README": b"new"}


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (member("/tmp/evil"), "is absolute"),
        (member("C:\\evil"), "is absolute"),
        (member("\\evil"), "is absolute"),
        (member("../evil"), "climbs out of its folder"),
        (member("L/../../evil"), "climbs out of its folder"),
        (member("L\\..\\..\\evil"), "climbs out of its folder"),
        (member("L/link", tarfile.SYMTYPE, "/etc/passwd"), "neither a regular file nor a folder"),
        (member("L/link", tarfile.SYMTYPE, "good"), "neither a regular file nor a folder"),
        (member("L/link", tarfile.LNKTYPE, "L/good"), "neither a regular file nor a folder"),
        (member("L/null", tarfile.CHRTYPE), "neither a regular file nor a folder"),
        (member("L/disk", tarfile.BLKTYPE), "neither a regular file nor a folder"),
        (member("L/pipe", tarfile.FIFOTYPE), "neither a regular file nor a folder"),
    ],
    ids=lambda value: value.name if isinstance(value, tarfile.TarInfo) else None,
)
def test_an_unsafe_member_leaves_nothing_unpacked(archive, folder, bad, fault):
    with pytest.raises(UnsafeArchiveError, match=f"{fault}; nothing was unpacked"):
        extract(archive({"L/good": b"good"}, bad), folder)
    assert os.listdir(folder) == ["a.tar.gz"]
    assert os.listdir(folder.parent) == ["corpora"]


DAMAGES = {
    "half of it": lambda packed: packed[: len(packed) // 2],
    "all but its last bytes": lambda packed: packed[:-30],
    "one bit turned over": lambda packed: packed[:20_000] + bytes([packed[20_000] ^ 1]) + packed[20_001:],
    "an error page": lambda packed: b"<html>not found</html>",
    "nothing": lambda packed: b"",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_archive_leaves_nothing_unpacked(archive, folder, damage):
    path = archive({f"L/{number}": os.urandom(2000) for number in range(20)})
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DownloadError, match="a.tar.gz: .*delete it and download again"):
        extract(path, folder)
    assert os.listdir(folder) == ["a.tar.gz"]


def test_a_member_larger_than_the_room_left(archive, folder, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 10**9, 999))
    with pytest.raises(DiskSpaceError, match="member 'L/big' needs 0.0 MB, 0.0 MB are free"):
        extract(archive({"L/small": bytes(999), "L/big": bytes(1000)}), folder)
    assert os.listdir(folder) == ["a.tar.gz"]


def test_an_interrupted_unpacking_leaves_nothing(archive, folder, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "disk_usage", interrupt)
    with pytest.raises(KeyboardInterrupt):
        extract(archive({"L/a": b"a"}), folder)
    assert os.listdir(folder) == ["a.tar.gz"]


def test_modes_that_would_lock_the_owner_out_or_let_others_in_are_not_kept(archive, folder):
    info = member("L/a")
    info.mode = 0o4777
    extract(archive({}, info), folder)
    assert (folder / "L/a").stat().st_mode & 0o7022 == 0
