"""From a home to a folder: checksums, locks, and what is not fetched twice."""

from __future__ import annotations

import hashlib
import json
import random
from contextlib import nullcontext

import pytest

from asr.corpora.fetch import fetch
from asr.corpora.importer import Archive
from asr.errors import ChecksumError, DownloadError, UnsafeArchiveError


@pytest.fixture
def content(tar) -> bytes:
    return tar({"toy/README": b"hello"})


@pytest.fixture
def archive(home, content):
    """The toy corpus at its home, with a checksum if one is given."""
    home.files["toy.tar.gz"] = content
    return lambda checksum=None: Archive("toy", f"{home.url}/toy.tar.gz", 1, "toy", checksum)


@pytest.fixture
def bring(tmp_path):
    """Fetch one archive into ``tmp_path/data``."""
    return lambda archive, mirror=None: fetch([archive], tmp_path / "data", mirror, pause_s=0.0)[0]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("kind", ["md5", "sha256"])
def test_a_published_checksum_is_checked_and_recorded(archive, bring, content, tmp_path, kind):
    checksum = f"{kind}:{hashlib.new(kind, content).hexdigest()}"
    lock = bring(archive(checksum))
    assert (lock.size, lock.sha256, lock.published) == (len(content), sha256(content), checksum)
    assert (tmp_path / "data/toy/README").read_bytes() == b"hello"
    assert json.loads((tmp_path / "data/toy.tar.gz.lock.json").read_text())["published"] == checksum


def test_a_wrong_checksum_unpacks_nothing_and_keeps_nothing(archive, bring, content, tmp_path):
    wrong = f"md5:{'0' * 32}"
    with pytest.raises(
        ChecksumError, match=f"expected {wrong} but got {hashlib.md5(content).hexdigest()}; it was deleted"
    ):
        bring(archive(wrong))
    assert list((tmp_path / "data").iterdir()) == []


def test_a_cut_download_with_a_checksum_arrives_whole(archive, bring, home, content):
    home.cut_after, home.cuts = len(content) // 2, 1
    assert bring(archive(f"sha256:{sha256(content)}")).size == len(content)
    assert len(home.requested) == 2


def test_ctrl_c_keeps_the_part_and_nothing_else(archive, home, tmp_path, tar):
    toy = archive()
    home.files["toy.tar.gz"] = tar({"toy/noise": random.Random(0).randbytes(1_000_000)})

    def interrupt(held: int, expected: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch([toy], tmp_path / "data", display=lambda name: nullcontext(interrupt))
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["toy.tar.gz.part"]
    fetch([toy], tmp_path / "data", pause_s=0.0)
    assert (tmp_path / "data/toy/noise").stat().st_size == 1_000_000


def test_what_is_there_is_not_fetched_again_even_without_its_archive(archive, bring, home, tmp_path):
    first = bring(archive())
    (tmp_path / "data/toy.tar.gz").unlink()
    assert bring(archive()) == first
    assert len(home.requested) == 1


def test_an_archive_that_is_there_is_unpacked_without_a_download(archive, bring, home, content, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/toy.tar.gz").write_bytes(content)
    bring(archive(f"sha256:{sha256(content)}"))
    assert home.requested == []


def test_without_a_published_checksum_the_first_download_is_the_measure_of_later_ones(
    archive, bring, home, tar, tmp_path
):
    lock = bring(archive())
    assert lock.published is None
    (tmp_path / "data/toy.tar.gz").unlink()
    (tmp_path / "data/toy/README").unlink()
    (tmp_path / "data/toy").rmdir()
    home.files["toy.tar.gz"] = tar({"toy/README": b"another edition"})
    with pytest.raises(ChecksumError, match=rf"expected sha256:{lock.sha256} but got .*delete .*toy.tar.gz.lock.json"):
        bring(archive())
    (tmp_path / "data/toy.tar.gz.lock.json").unlink()
    bring(archive())
    assert (tmp_path / "data/toy/README").read_bytes() == b"another edition"


@pytest.mark.parametrize("page", [b"<html>moved</html>", b""])
def test_an_error_page_sent_as_a_file_is_never_trusted(archive, bring, home, tmp_path, page):
    home.files["toy.tar.gz"] = page
    with pytest.raises(DownloadError, match="delete it and download again"):
        bring(archive())
    assert not (tmp_path / "data/toy.tar.gz.lock.json").exists()


def test_another_archive_than_expected_is_not_trusted(archive, bring, home, tar, tmp_path):
    home.files["toy.tar.gz"] = tar({"game/README": b"hello"})
    with pytest.raises(DownloadError, match="has no folder toy"):
        bring(archive())
    assert not (tmp_path / "data/toy.tar.gz.lock.json").exists()


def test_an_unsafe_archive_is_not_trusted(archive, bring, home, tar, tmp_path):
    home.files["toy.tar.gz"] = tar({"toy/README": b"hello", "../evil": b"evil"})
    with pytest.raises(UnsafeArchiveError):
        bring(archive())
    assert sorted(p.name for p in (tmp_path / "data").iterdir()) == ["toy.tar.gz"]
    assert not (tmp_path / "evil").exists()


def test_a_mirror_serves_the_same_file(archive, bring, home, content):
    home.files["mirror/toy.tar.gz"] = home.files.pop("toy.tar.gz")
    assert bring(archive(f"sha256:{sha256(content)}"), f"{home.url}/mirror").url == f"{home.url}/mirror/toy.tar.gz"


def test_a_lock_that_is_damaged(archive, bring, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/toy.tar.gz.lock.json").write_text("{")
    with pytest.raises(DownloadError, match=r"lock\.json: cannot be read.*delete it"):
        bring(archive())


def test_a_folder_that_cannot_be_made(archive, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match="cannot be made"):
        fetch([archive()], tmp_path / "file/data")
