"""The table of homes."""

from __future__ import annotations

import re

import pytest

from asr.corpora import CORPORA
from asr.corpora.archives import ARCHIVES, archives_of
from asr.corpora.importer import Archive
from asr.errors import DownloadError

EVERY = [archive for archives in ARCHIVES.values() for archive in archives]


def test_each_corpus_of_the_table_has_an_importer():
    assert ARCHIVES.keys() < CORPORA.keys()


@pytest.mark.parametrize("archive", EVERY, ids=[archive.part for archive in EVERY])
def test_checksums_are_whole_and_urls_name_tar_files(archive: Archive):
    assert archive.checksum is None or re.fullmatch("md5:[0-9a-f]{32}|sha256:[0-9a-f]{64}", archive.checksum)
    assert re.fullmatch(r"https?://[^ ]+/[^/ ]+\.tar\.(gz|bz2)", archive.url)


def test_no_two_archives_have_one_checksum():
    checksums = [archive.checksum for archive in EVERY if archive.checksum]
    assert len(set(checksums)) == len(checksums)


def test_a_mirror_replaces_the_address_and_keeps_the_name():
    (archive,) = archives_of("librispeech", ("dev-clean",))
    assert archive.url_at(None) == "https://www.openslr.org/resources/12/dev-clean.tar.gz"
    assert archive.url_at("https://host/slr/12/") == "https://host/slr/12/dev-clean.tar.gz"
    assert (archive.contents, archive.root) == ("LibriSpeech/dev-clean", "LibriSpeech")


@pytest.mark.parametrize("mirror", ["/home/me/archives", "openslr.elda.org", "file:///etc", "ftp://host"])
def test_a_mirror_is_an_http_address(mirror):
    with pytest.raises(DownloadError, match="a mirror is an address like https://host/folder"):
        EVERY[0].url_at(mirror)


def test_a_corpus_in_one_archive_needs_no_part():
    assert [archive.name for archive in archives_of("an4")] == ["an4_sphere.tar.gz"]


@pytest.mark.parametrize(
    ("corpus", "parts", "advice"),
    [
        ("librispeech", (), r"comes in parts: name some with --part. There are: dev-clean-2 \(126 MB\)"),
        ("librispeech", ("dev-clean", "dev-cleen"), "has no part dev-cleen. There are: dev-clean-2"),
        ("common_voice", (), "log in at https://commonvoice.mozilla.org/datasets"),
        ("kaldi", (), "has no home to download from; --download knows an4, fsdd, librispeech, ljspeech"),
    ],
)
def test_what_cannot_be_downloaded(corpus, parts, advice):
    with pytest.raises(DownloadError, match=advice):
        archives_of(corpus, parts)
