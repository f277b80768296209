"""Downloads over HTTP that resume after an interruption and check for disk space before the first byte."""

from __future__ import annotations

import errno
import http.client
import re
import shutil
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from asr.errors import DiskSpaceError, DownloadError

_BLOCK = 1 << 18
_TIMEOUT_S = 60.0
#: Attempts in a row that bring nothing before the download is given up.
_FRUITLESS_ATTEMPTS = 5
#: Archives unpack to about this many times their size: FLAC 1.0, bzip2 and gzip of PCM 1.5.
UNPACKED_RATIO = 1.5

#: Called with the bytes held and the bytes expected (0 where the server does not say).
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ResumingDownloader:
    """A downloader that writes to ``{name}.part`` in ``folder`` and resumes after interruptions, also in a later run.

    It is a downloader for pooch: ``pooch.retrieve(url, downloader=ResumingDownloader(…))``.

    Attributes:
        folder: folder of the partial file.
        progress: function called after every block.
        pause_s: seconds before the attempt after one that brought nothing; doubled, about, after each further one.
    """

    folder: Path
    progress: Progress = lambda held, expected: None
    pause_s: float = 1.0

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        """Fetch ``url`` and move it to ``output_file``.

        Raises:
            DownloadError: the server refuses, or the connection brings nothing five times in a row.
            DiskSpaceError: the disk has no room for the file and its contents.
        """
        part = self.folder / f"{url.rpartition('/')[2]}.part"
        fruitless = 0
        while fruitless < _FRUITLESS_ATTEMPTS:
            time.sleep(self.pause_s * (2**fruitless - 1))
            held = _size(part)
            fault = self._try(url, part)
            if fault is None:
                part.replace(output_file)
                return
            fruitless = 0 if _size(part) > held else fruitless + 1
        raise DownloadError(
            f"{url}: {fault}; {_size(part)} bytes are kept in {part}: run the command again to go on from there, "
            f"or name another folder that holds {url.rpartition('/')[2]} with --mirror"
        ) from fault

    def _try(self, url: str, part: Path) -> Exception | None:
        """Fetch the missing bytes; return the error if another attempt may succeed, else None."""
        try:
            return None if self._attempt(url, part) else ConnectionError("the connection was cut")
        except urllib.error.HTTPError as fault:
            _refuse_client_error(url, fault)
            return fault
        except (OSError, http.client.HTTPException) as fault:
            _refuse_unknown_host(url, fault)
            _refuse_local_fault(part, fault)
            return fault

    def _attempt(self, url: str, part: Path) -> bool:
        """Fetch from the end of the partial file on; return whether the file is now whole."""
        held = _size(part)
        request = urllib.request.Request(url, headers={"Range": f"bytes={held}-"} if held else {})
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
                held = _start(response, held)
                length = response.headers.get("Content-Length")
                expected = held + int(length) if length else 0
                _check_room(part, expected - held, expected)
                with open(part, "ab" if held else "wb") as file:
                    self._copy(response, file, held, expected)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 416:
                raise
            # The range lies after the end: the partial file is whole, or belongs to another edition of the file.
            if error.headers.get("Content-Range") == f"bytes */{held}":
                return True
            part.unlink()
            return False
        return not expected or _size(part) == expected

    def _copy(self, response: http.client.HTTPResponse, file: BinaryIO, held: int, expected: int) -> None:
        while block := response.read(_BLOCK):
            file.write(block)
            held += len(block)
            self.progress(held, expected)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _start(response: http.client.HTTPResponse, held: int) -> int:
    """Return the byte at which the response starts: ``held``, or 0 if the server does not support ranges."""
    if response.status != 206:
        return 0
    content_range = response.headers.get("Content-Range", "")
    if not re.match(rf"bytes {held}-", content_range):
        raise http.client.HTTPException(f"the server was asked for bytes {held}- and sent {content_range!r}")
    return held


def _check_room(part: Path, missing: int, whole: int) -> None:
    needed, free = missing + round(UNPACKED_RATIO * whole), shutil.disk_usage(part.parent).free
    if needed > free:
        raise DiskSpaceError(
            f"{part.parent}: the download and its contents need {needed / 1e6:,.0f} MB, {free / 1e6:,.0f} MB are "
            "free; make room or name a folder on another disk"
        )


def _refuse_client_error(url: str, error: urllib.error.HTTPError) -> None:
    if error.code < 500 and error.code not in (408, 429):
        raise DownloadError(
            f"{url}: the server answered {error.code} {error.reason}; if the file has moved, name a folder that "
            f"holds {url.rpartition('/')[2]} with --mirror"
        ) from error


def _refuse_unknown_host(url: str, error: Exception) -> None:
    reason = getattr(error, "reason", None)
    if isinstance(reason, socket.gaierror) and reason.errno == socket.EAI_NONAME:
        raise DownloadError(f"{url}: no such host is known; is this machine on the network?") from error


def _refuse_local_fault(part: Path, error: Exception) -> None:
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        raise DiskSpaceError(
            f"{part}: the disk is full; {_size(part)} bytes are kept: make room and run the command again"
        ) from error
    if isinstance(error, PermissionError):
        raise DownloadError(f"{part}: may not be written: {error}") from error
