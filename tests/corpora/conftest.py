"""Small corpora, laid out as the big ones are published, and a home on loopback to download them from."""

from __future__ import annotations

import http.server
import io
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

Record = Callable[..., Path]


@pytest.fixture
def record() -> Record:
    """Write ``seconds`` of a quiet tone to a path, making its folder."""

    def write(path: Path, seconds: float = 0.5, sample_rate: int = 16000, **format: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = 0.1 * np.sin(0.1 * np.arange(round(seconds * sample_rate)), dtype=np.float32)
        soundfile.write(path, samples, sample_rate, **format)
        return path

    return write


@pytest.fixture
def write() -> Callable[[Path, str], Path]:
    """Write a text file, making its folder."""

    def write_text(path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write_text


@dataclass
class Home:
    """A server of files, and its faults.

    ``cut_after`` bytes the connection breaks, as often as ``cuts`` says; without ``ranges`` it always sends the
    whole file; ``skewed`` it sends a range that starts one byte late; ``refusals`` are the codes it answers first, one
    a request.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    skewed: bool = False
    cut_after: int = 0
    cuts: int = 0
    refusals: list[int] = field(default_factory=list)
    requested: list[tuple[str, str | None]] = field(default_factory=list)
    sent: int = 0
    url: str = ""


class _Handler(http.server.BaseHTTPRequestHandler):
    def __init__(self, home: Home, *arguments: object) -> None:
        self.home = home
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        home, asked = self.home, self.headers.get("Range")
        home.requested.append((self.path, asked))
        content = home.files.get(self.path.strip("/"))
        if home.refusals or content is None:
            self.send_error(home.refusals.pop(0) if home.refusals else 404)
            return
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and home.ranges else 0
        if start and start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.end_headers()
            return
        start += home.skewed and start > 0
        self.send_response(206 if asked and home.ranges else 200)
        self.send_header("Content-Length", str(len(content) - start))
        if asked and home.ranges:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        self._send(content[start:])

    def _send(self, body: bytes) -> None:
        if self.home.cuts:
            self.home.cuts -= 1
            body = body[: self.home.cut_after]
        self.home.sent += len(body)
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def home() -> Iterator[Home]:
    """Serve ``home.files`` at ``home.url``."""
    home = Home()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, home))
    home.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield home
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def tar() -> Callable[..., bytes]:
    """Make a tar.gz in memory of name → bytes, and of members made by hand."""

    def make(files: dict[str, bytes], *members: tarfile.TarInfo) -> bytes:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for name, content in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
            for member in members:
                archive.addfile(member)
        return packed.getvalue()

    return make
