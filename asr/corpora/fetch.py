"""Download of a corpus from its publisher: fetch, verify, unpack, and record what was fetched."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

from asr.corpora.download import Progress, ResumingDownloader
from asr.corpora.extract import extract
from asr.corpora.importer import Archive
from asr.errors import ChecksumError, ConfigError, DownloadError
from asr.files import sha256_of, write_atomically
from asr.staging import sweep
from asr.stored_json import read_json
from asr.typed import from_tree

_LEEWAY = 1.25
"""How much larger than its stated size an archive may be."""


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
    sweep(folder.absolute())
    lock = _read_lock(folder, archive)
    if lock and (folder / archive.contents).is_dir():
        return lock
    known = archive.checksum or (f"sha256:{lock.sha256}" if lock else None)
    url = archive.url_at(mirror)
    with display(archive.name) as progress:
        path = _retrieve(url, known, folder, ResumingDownloader(folder, _most_bytes(archive), progress, pause_s))
    extract(path, folder)
    if not (folder / archive.contents).is_dir():
        raise DownloadError(f"{path}: has no folder {archive.contents}; is {url} the corpus?")
    # Only now, so that an error page that a server sent as a file is not trusted ever after.
    return _write_lock(folder, archive, Lock(url, path.stat().st_size, sha256_of(path), archive.checksum))


def _most_bytes(archive: Archive) -> int:
    """Return the most that an archive may have; its size is known about."""
    return round(_LEEWAY * 1e6 * (archive.megabytes + 1))


def _retrieve(url: str, known: str | None, folder: Path, downloader: ResumingDownloader) -> Path:
    """Return the file of ``url`` in ``folder``, downloaded unless it is there, with the checksum that is known."""
    path = folder / url.rpartition("/")[2]
    if not path.is_file():
        part = downloader.fetch(url)
        _check(url, part, known, folder)
        part.replace(path)
    else:
        _check(url, path, known, folder)
    return path


def _check(url: str, path: Path, known: str | None, folder: Path) -> None:
    if known is None:
        return
    kind, _, wanted = known.partition(":")
    with open(path, "rb") as file:
        got = hashlib.file_digest(file, kind).hexdigest()
    if got == wanted:
        return
    path.unlink()
    lock = _lock_path(folder, url.rpartition("/")[2])
    trust = f"; if its home has a new edition, delete {lock} to trust that" if lock.exists() else ""
    raise ChecksumError(
        f"{url}: the checksum of {path} is not the known one: expected {known} but got {got}; it was deleted: "
        f"try again, or another --mirror{trust}"
    )


def _lock_path(folder: Path, name: str) -> Path:
    return folder / f"{name}.lock.json"


def _read_lock(folder: Path, archive: Archive) -> Lock | None:
    path = _lock_path(folder, archive.name)
    try:
        return from_tree(Lock, read_json(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, ConfigError) as fault:
        raise DownloadError(f"{path}: cannot be read: {fault}; delete it to download again") from fault


def _write_lock(folder: Path, archive: Archive, lock: Lock) -> Lock:
    with write_atomically(_lock_path(folder, archive.name)) as temporary:
        temporary.write_text(json.dumps(asdict(lock), indent=2) + "\n", encoding="utf-8")
    return lock
