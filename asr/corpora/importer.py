"""The description of an importer: the layout that it reads, how it reads it, and where its corpus has its home."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from asr.corpora.entry import Dropped, Entry
from asr.errors import DownloadError


@dataclass(frozen=True)
class Archive:
    """One file to download.

    Attributes:
        part: its name within the corpus, as ``--part`` takes it.
        url: at its home. A mirror has the same file name below another address.
        megabytes: its size, about; for the person who chooses.
        contents: the folder that unpacking makes.
        checksum: ``md5:…`` or ``sha256:…`` as published, ``None`` where nothing is.
    """

    part: str
    url: str
    megabytes: int
    contents: str
    checksum: str | None = None

    @property
    def name(self) -> str:
        """The file's name."""
        return self.url.rpartition("/")[2]

    @property
    def root(self) -> str:
        """The folder of the corpus that unpacking makes, or adds to."""
        return self.contents.partition("/")[0]

    def url_at(self, mirror: str | None) -> str:
        """Return the address at ``mirror``, or at home."""
        if not mirror:
            return self.url
        if not mirror.startswith(("http://", "https://")):
            raise DownloadError(f"a mirror is an address like https://host/folder, not {mirror!r}")
        return f"{mirror.rstrip('/')}/{self.name}"


@dataclass(frozen=True)
class Importer:
    """How a corpus as published is read; its name is its file's, below ``importers/``.

    Attributes:
        what: what the folder given should be, for ``asr prepare --help``.
        read: folder → the utterances that the corpus lists, and what is dropped of it.
        archives: where its home keeps it, empty where nothing can be downloaded.
        elsewhere: how to come by it where it cannot be downloaded.
        lists: suffixes of the files that list its utterances, where one such file may be given for the folder.
    """

    what: str
    read: Callable[[Path], Iterator[Entry | Dropped]]
    archives: tuple[Archive, ...] = ()
    elsewhere: str = ""
    lists: tuple[str, ...] = ()
