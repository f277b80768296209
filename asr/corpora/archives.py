"""Download addresses of the corpora's archives, and the checksums that their publishers give.

OpenSLR publishes MD5 (https://www.openslr.org/resources/12/md5sum.txt and …/31/md5sum.txt); LJ Speech's SHA-256 is the
one torchaudio and others pin. CMU and GitHub publish none: the first download is then recorded and compared with later
ones (`asr.corpora.fetch`). Each importer's file has the archives of its corpus.
"""

from __future__ import annotations

from asr.corpora import CORPORA
from asr.corpora.importer import Archive
from asr.errors import DownloadError

ARCHIVES = {name: importer.archives for name, importer in CORPORA.items() if importer.archives}
"""The archives of each corpus that can be downloaded."""


def archives_of(corpus: str, parts: tuple[str, ...] = ()) -> tuple[Archive, ...]:
    """Return the archives of ``corpus`` named by ``parts``; a corpus in one archive needs no name.

    Raises:
        DownloadError: the corpus cannot be downloaded, has several parts and none was named, or lacks a part.
    """
    archives = ARCHIVES.get(corpus, ())
    if not archives:
        known = f"{corpus} has no home to download from; --download knows {', '.join(ARCHIVES)}"
        raise DownloadError((corpus in CORPORA and CORPORA[corpus].elsewhere) or known)
    choice = ", ".join(f"{archive.part} ({archive.megabytes} MB)" for archive in archives)
    if not parts and len(archives) > 1:
        raise DownloadError(f"{corpus} comes in parts: name some with --part. There are: {choice}")
    unknown = [part for part in parts if part not in {archive.part for archive in archives}]
    if unknown:
        raise DownloadError(f"{corpus} has no part {', '.join(unknown)}. There are: {choice}")
    return tuple(archive for archive in archives if archive.part in parts or not parts)
