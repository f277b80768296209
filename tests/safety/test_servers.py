"""Servers that lie: a download ends in time, within the size that is known, and leaves nothing that is not the file."""

from __future__ import annotations

import hashlib
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from asr.corpora.download import ResumingDownloader
from asr.errors import AsrError

pytestmark = pytest.mark.group("server lies")
CONTENT = random.Random(0).randbytes(60_000)
OK = b"HTTP/1.1 200 OK\r\n"
MOST = 200_000
SHORT_S = 30.0
"""Seconds in which any lie must have been seen through; with ``patience_s`` 0.3 and five attempts, 2 are enough."""

Lie = Callable[[socket.socket], None]


def sends(*parts: bytes) -> Lie:
    """Send these bytes, and close."""
    return lambda connection: [connection.sendall(part) for part in parts] and None


def for_ever(head: bytes, body: bytes, pause_s: float = 0.0) -> Lie:
    """Send ``head``, then ``body`` again and again until the other side has enough."""

    def send(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(body)
            time.sleep(pause_s)

    return send


def waits(head: bytes) -> Lie:
    """Send ``head``, and then nothing, without closing."""

    def send(connection: socket.socket) -> None:
        connection.sendall(head)
        connection.recv(1)

    return send


def length(text: str) -> bytes:
    return OK + f"Content-Length: {text}\r\n\r\n".encode("latin-1")


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def moved(to: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()


NO_LENGTHS = ("abc", "-1", "1e9", "0x10", "", " ", "9" * 19, "9" * 5000, "1,2", "60000 60000", "\xb2", "60000.0", "+5")
PART = b"HTTP/1.1 206 OK\r\n"

LIES: dict[str, Lie] = {
    **{f"the length {text[:20]!r} of {len(text)}": sends(length(text), CONTENT) for text in NO_LENGTHS},
    **{f"the length {text}": sends(length(text), CONTENT) for text in ("60001", "59999", "0", "1", "999999999999")},
    "two lengths": sends(OK + b"Content-Length: 5\r\nContent-Length: 60000\r\n\r\n", CONTENT),
    "no length, and a body without end": for_ever(OK + b"\r\n", bytes(4096)),
    "chunks without end": for_ever(CHUNKED, b"1000\r\n" + bytes(4096) + b"\r\n"),
    "chunks of a byte without end": for_ever(CHUNKED, b"1\r\n0\r\n"),
    "a chunk of a size that is no number": sends(CHUNKED, b"xyz\r\n", CONTENT),
    "a chunk of a size below zero": sends(CHUNKED, b"-5\r\n", CONTENT),
    "a chunk larger than all memory": sends(CHUNKED, b"ffffffffffffffff\r\n", CONTENT),
    "a line of a chunk without end": for_ever(CHUNKED, b"0" * 4096),
    "trailers without end": for_ever(CHUNKED + b"0\r\n", b"X: y\r\n"),
    "a byte now and then": for_ever(length("60000"), b"x", 0.02),
    "a byte of the head now and then": for_ever(b"HTTP/1.1 200 OK\r\nX: ", b"x", 0.02),
    "heads without end": for_ever(OK, b"X: y\r\n"),
    "a head of one line without end": for_ever(OK + b"X: ", b"y" * 4096),
    "continues without end": for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a status without end": for_ever(b"HTTP/1.1 ", b"2"),
    "nothing at all": waits(b""),
    "a head and nothing": waits(length("60000")),
    "half of a head": waits(b"HTTP/1.1 200 OK\r\nContent-"),
    "half of it": waits(length("60000") + CONTENT[:30_000]),
    "closes at once": sends(b""),
    "no HTTP": sends(b"SSH-2.0-OpenSSH\r\n"),
    "bytes": sends(CONTENT),
    "the status 999": sends(b"HTTP/1.1 999 ?\r\n\r\n"),
    "the status abc": sends(b"HTTP/1.1 abc\r\n\r\n"),
    "the status 204": sends(b"HTTP/1.1 204 No\r\n\r\n"),
    "the status 304": sends(b"HTTP/1.1 304 No\r\n\r\n"),
    "the status 416": sends(b"HTTP/1.1 416 No\r\nContent-Range: bytes */0\r\n\r\n"),
    "the status 500": sends(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"),
    "the status 404": sends(b"HTTP/1.1 404 \x1b[2J\r\nContent-Length: 0\r\n\r\n"),
    "a part nobody asked for": sends(
        b"HTTP/1.1 206 OK\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\n12345"
    ),
    "a part of no range": sends(PART + b"Content-Length: 5\r\n\r\n12345"),
    "moved to itself": sends(moved("/f.bin")),
    "moved to a file": sends(moved("file:///etc/passwd")),
    "moved to FTP": sends(moved("ftp://127.0.0.1/f")),
    "moved to nothing": sends(moved("")),
    "moved to a wrong port": sends(moved("http://127.0.0.1:99999/f")),
    "moved to a text": sends(moved("http://[::1/f")),
    "moved to data": sends(moved("data:text/plain,words")),
    "a page": sends(length("18"), b"<html>moved</html>"),
    "packed": sends(OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\n12345"),
}


@contextmanager
def lying(lie: Lie) -> Iterator[str]:
    """Serve a lie on loopback, to every connection."""
    server = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def serve() -> None:
        while not stopped.is_set():
            with suppress(OSError):
                connection, _ = server.accept()
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(SHORT_S)
            if connection.recv(65536):
                lie(connection)
                connection.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/f.bin"
    finally:
        stopped.set()
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


def fetched(url: str, folder: Path) -> tuple[str, str]:
    """Download by a short patience; return what came of it, with a message."""
    begin = time.monotonic()
    loader = ResumingDownloader(folder, MOST, pause_s=0.0, least_rate=10_000, patience_s=0.3)
    try:
        content, message = loader.fetch(url).read_bytes(), ""
        outcome = "text" if len(content) <= MOST else "lost"
    except AsrError as error:
        outcome, message = "typed error", f"{error.code}: {error}"
    except Exception as fault:
        outcome, message = "traceback", repr(fault)
    took = time.monotonic() - begin
    held = sum(p.stat().st_size for p in folder.iterdir())
    if held > MOST:
        return "lost", f"{held} bytes are kept"
    return ("hang", f"{took:.0f} s") if took > SHORT_S else (outcome, message)


@pytest.mark.parametrize("name", LIES)
def test_a_lie(name: str, tmp_path: Path, tally: Any) -> None:
    with lying(LIES[name]) as url:
        outcome, message = fetched(url, tmp_path)
    tally.add(outcome, f"{name}: {message}")
    if name.startswith(("no length, and", "chunks without", "the length 999999999999")):
        assert "nothing of it was kept" in message and not list(tmp_path.iterdir())
    if name.startswith("moved to"):
        assert outcome == "typed error"


def test_the_truth_is_fetched(tmp_path: Path, tally: Any) -> None:
    with lying(sends(length("60000"), CONTENT)) as url:
        outcome, _ = fetched(url, tmp_path)
    tally.add(outcome)
    assert hashlib.sha256((tmp_path / "f.bin.part").read_bytes()).digest() == hashlib.sha256(CONTENT).digest()
