"""Download addresses of the corpora's archives, and the checksums that their publishers give.

OpenSLR publishes MD5 (https://www.openslr.org/resources/12/md5sum.txt and …/31/md5sum.txt); LJ Speech's SHA-256 is the
one that torchaudio and others pin. CMU and GitHub publish none: the first download is recorded and compared with later
ones (`asr.corpora.fetch`).
"""

from __future__ import annotations

from dataclasses import dataclass

from asr.errors import DownloadError


@dataclass(frozen=True)
class Archive:
    """One file to download.

    Attributes:
        part: name of the part of the corpus, as ``--part`` takes it.
        url: address at the publisher. A mirror has the same file name below another address.
        megabytes: approximate size, shown to the user.
        contents: folder that unpacking creates.
        checksum: ``md5:…`` or ``sha256:…`` as published, ``None`` where none is.
    """

    part: str
    url: str
    megabytes: int
    contents: str
    checksum: str | None = None

    @property
    def name(self) -> str:
        """Name of the archive file."""
        return self.url.rpartition("/")[2]

    @property
    def root(self) -> str:
        """Top folder that unpacking creates or adds to."""
        return self.contents.partition("/")[0]

    def url_at(self, mirror: str | None) -> str:
        """Return the address at ``mirror``, or at the publisher without one.

        Raises:
            DownloadError: ``mirror`` is not an http or https address.
        """
        if not mirror:
            return self.url
        if not mirror.startswith(("http://", "https://")):
            raise DownloadError(f"a mirror is an address like https://host/folder, not {mirror!r}")
        return f"{mirror.rstrip('/')}/{self.name}"


def _openslr(resource: int, part: str, megabytes: int, md5: str) -> Archive:
    url = f"https://www.openslr.org/resources/{resource}/{part}.tar.gz"
    return Archive(part, url, megabytes, f"LibriSpeech/{part}", f"md5:{md5}")


ARCHIVES = {
    "librispeech": (
        _openslr(31, "dev-clean-2", 126, "6d7ab67ac6a1d2c993d050e16d61080d"),
        _openslr(31, "train-clean-5", 332, "5df7d4e78065366204ca6845bb08f490"),
        _openslr(12, "dev-clean", 338, "42e2234ba48799c1f50f24a7926300a1"),
        _openslr(12, "dev-other", 314, "c8d0bcc9cca99d4f8b62fcc847357931"),
        _openslr(12, "test-clean", 347, "32fa31d27d2e1cad72775fff3f4849a9"),
        _openslr(12, "test-other", 329, "fb5a50374b501bb3bac4815ee91d3135"),
        _openslr(12, "train-clean-100", 6387, "2a93770f6d5c6c964bc36631d331a522"),
        _openslr(12, "train-clean-360", 23049, "c0e676e450a7ff2f54aeade5171606fa"),
        _openslr(12, "train-other-500", 30594, "d1a0fd59409feb2c614ce4d30c387708"),
    ),
    "an4": (Archive("an4", "http://www.speech.cs.cmu.edu/databases/an4/an4_sphere.tar.gz", 64, "an4"),),
    "fsdd": (
        Archive(
            "v1.0.10",
            "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/v1.0.10.tar.gz",
            16,
            "free-spoken-digit-dataset-1.0.10",
        ),
    ),
    "ljspeech": (
        Archive(
            "LJSpeech-1.1",
            "https://data.keithito.com/data/speech/LJSpeech-1.1.tar.bz2",
            2749,
            "LJSpeech-1.1",
            "sha256:be1a30453f28eb8dd26af4101ae40cbf2c50413b1bb21936cbcdc6fae3de8aa5",
        ),
    ),
}

_ELSEWHERE = {
    "common_voice": "Common Voice is given out to named people only: log in at "
    "https://commonvoice.mozilla.org/datasets, download a locale, unpack it, and name the folder with the .tsv files"
}


def archives_of(corpus: str, parts: tuple[str, ...] = ()) -> tuple[Archive, ...]:
    """Return the archives of ``corpus`` named by ``parts``; a corpus in one archive needs no name.

    Raises:
        DownloadError: the corpus cannot be downloaded, has several parts and none was named, or lacks a part.
    """
    archives = ARCHIVES.get(corpus, ())
    if not archives:
        known = f"{corpus} has no home to download from; --download knows {', '.join(ARCHIVES)}"
        raise DownloadError(_ELSEWHERE.get(corpus, known))
    choice = ", ".join(f"{archive.part} ({archive.megabytes} MB)" for archive in archives)
    if not parts and len(archives) > 1:
        raise DownloadError(f"{corpus} comes in parts: name some with --part. There are: {choice}")
    unknown = [part for part in parts if part not in {archive.part for archive in archives}]
    if unknown:
        raise DownloadError(f"{corpus} has no part {', '.join(unknown)}. There are: {choice}")
    return tuple(archive for archive in archives if archive.part in parts or not parts)
