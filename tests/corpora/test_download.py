"""Downloads that are cut, refused, resumed, or do not fit, from a server on loopback."""

from __future__ import annotations

import errno
import random
import shutil
import socket
from collections import namedtuple
from pathlib import Path

import pytest

from asr.corpora.download import ResumingDownloader
from asr.errors import DiskSpaceError, DownloadError

CONTENT = random.Random(0).randbytes(1_000_000)
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def download(home, tmp_path):
    """Download ``file.bin``; the bytes that arrive."""
    home.files["file.bin"] = CONTENT

    def run(**options) -> bytes:
        return downloader(tmp_path, **options).fetch(f"{home.url}/file.bin").read_bytes()

    return run


def downloader(folder: Path, **options) -> ResumingDownloader:
    return ResumingDownloader(folder, **{"most_bytes": 2_000_000, "pause_s": 0.0, **options})


def part(folder: Path) -> Path:
    return folder / "file.bin.part"


def test_a_whole_download_reports_its_progress(download):
    seen: list[tuple[int, int]] = []
    assert download(progress=lambda held, expected: seen.append((held, expected))) == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert seen == sorted(seen)


def test_a_cut_connection_is_resumed_where_it_was_cut(download, home):
    home.cut_after, home.cuts = 300_000, 2
    assert download() == CONTENT
    assert [asked for _, asked in home.requested] == [None, "bytes=300000-", "bytes=600000-"]
    assert home.sent == len(CONTENT)


def test_a_later_run_goes_on_with_the_part(download, home, tmp_path):
    part(tmp_path).write_bytes(CONTENT[:400_000])
    assert download() == CONTENT
    assert home.requested == [("/file.bin", "bytes=400000-")]


def test_a_server_without_ranges_sends_all_of_it_again(download, home, tmp_path):
    home.ranges = False
    part(tmp_path).write_bytes(CONTENT[:400_000])
    assert download() == CONTENT


def test_another_range_than_the_one_asked_for_is_refused(download, home, tmp_path):
    home.skewed = True
    part(tmp_path).write_bytes(CONTENT[:400_000])
    with pytest.raises(DownloadError, match="was asked for bytes 400000- and sent 'bytes 400001-"):
        download()
    assert part(tmp_path).read_bytes() == CONTENT[:400_000]


def test_a_part_that_is_whole_is_taken(download, home, tmp_path):
    part(tmp_path).write_bytes(CONTENT)
    assert download() == CONTENT
    assert home.sent == 0


def test_a_part_longer_than_the_file_is_of_another_file(download, tmp_path):
    part(tmp_path).write_bytes(CONTENT + b"more")
    assert download() == CONTENT


@pytest.mark.parametrize("code", [500, 503, 429])
def test_a_busy_server_is_asked_again(download, home, code):
    home.refusals = [code, code]
    assert download() == CONTENT


def test_five_fruitless_attempts_are_the_end_and_what_came_is_kept(download, home, tmp_path):
    part(tmp_path).write_bytes(CONTENT[:10])
    home.refusals = [503] * 5
    with pytest.raises(DownloadError, match=r"503.*10 bytes are kept in .*file.bin.part: run the command again"):
        download()
    home.refusals = [503] * 4
    assert download() == CONTENT


def test_a_server_that_breaks_off_at_once_every_time(download, home):
    home.cut_after, home.cuts = 0, 99
    with pytest.raises(DownloadError, match="the connection was cut"):
        download()
    assert len(home.requested) == 5


def test_a_file_that_is_not_there_is_not_asked_for_twice(home, tmp_path):
    with pytest.raises(DownloadError, match=r"answered 404.*holds file.bin with --mirror"):
        downloader(tmp_path).fetch(f"{home.url}/file.bin")
    assert len(home.requested) == 1


def test_an_unknown_host_is_not_tried_again(tmp_path, monkeypatch):
    asked = []

    def unknown(host, *arguments, **options):
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(DownloadError, match="no such host is known"):
        downloader(tmp_path).fetch("http://nowhere.invalid/file.bin")
    assert asked == ["nowhere.invalid"]


def test_no_server_at_all(tmp_path):
    with pytest.raises(DownloadError, match="refused"):
        downloader(tmp_path).fetch("http://127.0.0.1:1/file.bin")


@pytest.mark.parametrize(("free", "fits"), [(2_500_000, True), (2_499_999, False)])
def test_room_is_needed_for_the_file_and_its_contents(download, tmp_path, monkeypatch, free, fits):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 10**9 - free, free))
    if fits:
        assert download() == CONTENT
    else:
        with pytest.raises(DiskSpaceError, match="need 2 MB, 2 MB are free; make room"):
            download()
        assert not part(tmp_path).exists()


@pytest.mark.parametrize(("code", "kind"), [(errno.ENOSPC, DiskSpaceError), (errno.EACCES, DownloadError)])
def test_a_disk_that_fills_or_refuses_ends_the_download_with_the_part_kept(download, tmp_path, code, kind):
    def fail(held: int, expected: int) -> None:
        raise OSError(code, "as the disk says")

    with pytest.raises(kind, match="file.bin.part"):
        download(progress=fail)
    assert part(tmp_path).stat().st_size > 0
