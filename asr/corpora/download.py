"""Downloads over HTTP that resume after an interruption, and of a server that lies take neither disk nor time."""

from __future__ import annotations

import errno
import http.client
import re
import shutil
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from asr.errors import DiskSpaceError, DownloadError

_BLOCK = 1 << 18
_TIMEOUT_S = 60.0
#: Attempts in a row that bring next to nothing before the download is given up.
_FRUITLESS_ATTEMPTS = 5
#: Archives unpack to about this many times their size: FLAC 1.0, bzip2 and gzip of PCM 1.5.
UNPACKED_RATIO = 1.5

#: Called with the bytes held and the bytes expected (0 where the server does not say).
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ResumingDownloader:
    """A downloader that writes to ``{name}.part`` in ``folder`` and resumes after interruptions, also in a later run.

    Attributes:
        folder: folder of the partial file.
        most_bytes: the most that the file may have.
        progress: function called after every block.
        pause_s: seconds before the attempt after one that brought nothing; doubled, about, after each further one.
        least_rate: bytes a second; a connection that brings fewer is broken off.
        patience_s: seconds over which ``least_rate`` is measured.
    """

    folder: Path
    most_bytes: int
    progress: Progress = lambda held, expected: None
    pause_s: float = 1.0
    least_rate: int = 1000
    patience_s: float = _TIMEOUT_S

    def fetch(self, url: str) -> Path:
        """Fetch ``url``, and return the partial file, which is now whole.

        Raises:
            DownloadError: the server refuses, sends more than ``most_bytes``, or brings next to nothing five times in a
                row.
            DiskSpaceError: the disk has no room for the file and its contents.
        """
        part = self.folder / f"{url.rpartition('/')[2]}.part"
        fruitless = 0
        while fruitless < _FRUITLESS_ATTEMPTS:
            time.sleep(self.pause_s * (2**fruitless - 1))
            held = _size(part)
            fault = self._try(url, part)
            if fault is None:
                return part
            fruitful = _size(part) - held >= self.least_rate * self.patience_s
            fruitless = 0 if fruitful else fruitless + 1
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
        except (OSError, http.client.HTTPException, ValueError) as fault:
            _refuse_unknown_host(url, fault)
            _refuse_local_fault(part, fault)
            return fault

    def _attempt(self, url: str, part: Path) -> bool:
        """Fetch from the end of the partial file on; return whether the file is now whole."""
        held = _size(part)
        request = urllib.request.Request(url, headers={"Range": f"bytes={held}-"} if held else {})
        try:
            with (
                _watched(self.least_rate * self.patience_s, self.patience_s) as watch,
                _opener(watch).open(request, timeout=_TIMEOUT_S) as response,
            ):
                held = _start(response, held)
                expected = _expected(url, response, held)
                self._check_size(url, part, expected)
                _check_room(part, max(0, expected - held), expected)
                with open(part, "ab" if held else "wb") as file:
                    self._copy(url, watch, response, file, held, expected)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 416:
                raise
            # The range lies after the end: the partial file is whole, or belongs to another edition of the file.
            if held and error.headers.get("Content-Range") == f"bytes */{held}":
                return True
            part.unlink(missing_ok=True)
            return False
        if watch.broken_off:
            raise ConnectionError(f"fewer than {self.least_rate:,} bytes a second came")
        return not expected or _size(part) == expected

    def _copy(
        self, url: str, watch: _Watch, response: http.client.HTTPResponse, file: BinaryIO, held: int, expected: int
    ) -> None:
        while block := response.read1(_BLOCK):
            held += len(block)
            watch.gained += len(block)
            self._check_size(url, Path(file.name), held)
            file.write(block)
            self.progress(held, expected)

    def _check_size(self, url: str, part: Path, size: int) -> None:
        if size > self.most_bytes:
            part.unlink(missing_ok=True)
            raise DownloadError(
                f"{url}: the server sends {size / 1e6:,.0f} MB or more, and the file has {self.most_bytes / 1e6:,.0f} "
                "at the most; nothing of it was kept: name another folder that holds it with --mirror"
            )


@dataclass
class _Watch:
    """What one connection brought so far, and its socket, by which it can be broken off."""

    gained: int = 0
    connection: socket.socket | None = None
    broken_off: bool = False


@contextmanager
def _watched(least: float, patience_s: float) -> Iterator[_Watch]:
    """Break a connection off if it brings fewer than ``least`` bytes in any ``patience_s`` seconds.

    A timeout of the socket does not do this: a byte now and then, or headers without end, keep it from expiring.
    """
    watch, over = _Watch(), threading.Event()

    def look() -> None:
        before = 0
        while not over.wait(patience_s):
            if watch.gained - before < least and watch.connection is not None:
                watch.broken_off = True
                with suppress(OSError):
                    watch.connection.shutdown(socket.SHUT_RDWR)
            before = watch.gained

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    try:
        yield watch
    finally:
        over.set()
        looking.join()


def _opener(watch: _Watch) -> urllib.request.OpenerDirector:
    """Return an opener of addresses that shows ``watch`` its socket, and follows redirections to HTTP alone."""

    class Http(http.client.HTTPConnection):
        def connect(self) -> None:
            super().connect()
            watch.connection = self.sock

    class Https(http.client.HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            watch.connection = self.sock

    class HttpHandler(urllib.request.HTTPHandler):
        def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(Http, request)

    class HttpsHandler(urllib.request.HTTPSHandler):
        def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(Https, request)

    return urllib.request.build_opener(HttpHandler, HttpsHandler, _Redirections)


class _Redirections(urllib.request.HTTPRedirectHandler):
    """Redirections to addresses as safe as the first one."""

    def http_error_302(self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any) -> Any:
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except BaseException:
            fp.close()
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        allowed = ("https://",) if req.full_url.startswith("https://") else ("https://", "http://")
        if not newurl.lower().startswith(allowed):
            raise DownloadError(f"{req.full_url}: the server leads to {newurl}, which is not {' or '.join(allowed)}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _start(response: http.client.HTTPResponse, held: int) -> int:
    """Return the byte at which the response starts: ``held``, or 0 if the server does not support ranges."""
    if response.status != 206:
        return 0
    content_range = response.headers.get("Content-Range", "")
    if not re.match(rf"bytes {held}-", content_range):
        raise http.client.HTTPException(f"the server was asked for bytes {held}- and sent {content_range!r}")
    return held


def _expected(url: str, response: http.client.HTTPResponse, held: int) -> int:
    """Return the size of the whole file, 0 where the server does not say.

    Raises:
        DownloadError: what the server says is no size.
    """
    length = response.headers.get("Content-Length")
    if length is None:
        return 0
    if not re.fullmatch(r"[0-9]{1,18}", length.strip()):
        raise DownloadError(f"{url}: the server says that {length[:40]!r} bytes come, which is no number; try --mirror")
    return held + int(length)


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
