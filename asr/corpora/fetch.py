"""Download of a corpus from its publisher: fetch, verify, unpack, and record what was fetched."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

from asr.corpora.download import Progress, ResumingDownloader
from asr.corpora.extract import extract
from asr.corpora.importer import Archive
from asr.errors import ChecksumError, DownloadError
from asr.files import sha256_of, write_atomically


@dataclass(frozen=True)
class Lock:
    """The record of a download, stored in ``{archive}.lock.json`` beside the archive.

    Attributes:
        url: address of the download.
        size: size in bytes.
        sha256: digest of the archive, in hexadecimal.
        published: checksum that the publisher gives; ``None`` where there is none, and the first download is trusted.
    """

    url: str
    size: int
    sha256: str
    published: str | None


#: Opens a display for one archive, by its name.
Display = Callable[[str], AbstractContextManager[Progress]]


def fetch(
    archives: Iterable[Archive],
    folder: str | Path,
    mirror: str | None = None,
    *,
    display: Display = lambda name: nullcontext(lambda held, expected: None),
    pause_s: float = 1.0,
) -> list[Lock]:
    """Download ``archives`` into ``folder`` and unpack them there, unless that was done before.

    An archive whose lock and contents exist is not fetched again, even if the archive was deleted since. One that is
    fetched again must have the published checksum, or else the checksum of the first download.

    Args:
        archives: archives, as returned by `asr.corpora.archives.archives_of`.
        folder: target folder, created if needed.
        mirror: address of a folder with the same files, used instead of the publisher.
        display: shows the progress of a download.
        pause_s: seconds before a cut download is resumed.

    Raises:
        DownloadError: an archive cannot be downloaded, or is damaged.
        ChecksumError: an archive has another checksum.
        DiskSpaceError: the disk has no room.
        UnsafeArchiveError: an archive has a member that must not be unpacked.
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise DownloadError(f"{folder}: cannot be made: {fault}") from fault
    return [_fetch_one(archive, folder, mirror, display, pause_s) for archive in archives]


def _fetch_one(archive: Archive, folder: Path, mirror: str | None, display: Display, pause_s: float) -> Lock:
    lock = _read_lock(folder, archive)
    if lock and (folder / archive.contents).is_dir():
        return lock
    known = archive.checksum or (f"sha256:{lock.sha256}" if lock else None)
    url = archive.url_at(mirror)
    with display(archive.name) as progress:
        path = _retrieve(url, known, folder, ResumingDownloader(folder, progress, pause_s))
    extract(path, folder)
    if not (folder / archive.contents).is_dir():
        raise DownloadError(f"{path}: has no folder {archive.contents}; is {url} the corpus?")
    # Only now, so that an error page that a server sent as a file is not trusted ever after.
    return _write_lock(folder, archive, Lock(url, path.stat().st_size, sha256_of(path), archive.checksum))


def _retrieve(url: str, known: str | None, folder: Path, downloader: ResumingDownloader) -> Path:
    import pooch

    pooch.get_logger().setLevel(logging.WARNING)
    name = url.rpartition("/")[2]
    lock_path = _lock_path(folder, name)
    try:
        return Path(pooch.retrieve(url, known, fname=name, path=folder, downloader=downloader))
    except ValueError as fault:
        words = str(fault).partition(". Deleted")[0]
        trust = f"; if its home has a new edition, delete {lock_path} to trust that" if lock_path.exists() else ""
        raise ChecksumError(f"{url}: {words}; it was deleted: try again, or another --mirror{trust}") from fault


def _lock_path(folder: Path, name: str) -> Path:
    return folder / f"{name}.lock.json"


def _read_lock(folder: Path, archive: Archive) -> Lock | None:
    path = _lock_path(folder, archive.name)
    try:
        return Lock(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as fault:
        raise DownloadError(f"{path}: cannot be read: {fault}; delete it to download again") from fault


def _write_lock(folder: Path, archive: Archive, lock: Lock) -> Lock:
    with write_atomically(_lock_path(folder, archive.name)) as temporary:
        temporary.write_text(json.dumps(asdict(lock), indent=2) + "\n", encoding="utf-8")
    return lock
