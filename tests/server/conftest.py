"""A server of its own process, as an operator starts it, and what is asked of it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from openai import OpenAI

SAMPLE = Path(__file__).parents[1] / "recordings" / "sample.wav"
BOUNDARY = "boundary"
SAID = SAMPLE.with_suffix(".txt").read_text(encoding="utf-8").strip()


@dataclass(frozen=True)
class Running:
    """A server that listens: its process, address and log."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return host, int(port)

    @property
    def websocket(self) -> str:
        return self.url.replace("http://", "ws://")

    def client(self, **options: Any) -> OpenAI:
        return OpenAI(base_url=f"{self.url}/v1", api_key="none", **options)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def line_of(self, **wanted: Any) -> dict[str, Any]:
        """The line of the log that has these fields; it is written after the answer is sent."""
        return until(lambda: next((one for one in self.lines() if wanted.items() <= one.items()), None))

    def metric(self, name: str) -> float:
        with urlopen(f"{self.url}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.split("{")[0].split()[0] == name)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=150)


def form(recording: bytes, **fields: str) -> bytes:
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    return "".join([*parts, head]).encode() + recording + f"\r\n--{BOUNDARY}--\r\n".encode()


def head_of(body: bytes) -> bytes:
    return (
        "POST /v1/audio/transcriptions HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()


def read_all(client: socket.socket) -> bytes:
    """All that the server sends until it closes."""
    client.settimeout(20)
    parts = []
    try:
        while part := client.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def until(ask: Callable[[], Any], seconds: float = 60.0) -> Any:
    """What ``ask`` returns once that is true; fails where it stays false."""
    ends = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < ends, "nothing came"
        time.sleep(0.02)
    return answer


CLI = "import sys; from asr.cli.main import main; sys.exit(main(['serve', '--port', '0', *sys.argv[1:]]))"

WITHIN = """
from asr.server import logs
from asr.server.options import Limits, ServerOptions
from asr.server.serve import listen, serve
from asr.server.service import create_service
options = ServerOptions(port=0, limits=Limits(**{limits}))
logs.configure()
serve(create_service(options), listen(options))
"""


@contextmanager
def running(folder: Path, *arguments: str, **limits: float) -> Iterator[Running]:
    """Start ``asr serve`` on a free port; or, where ``limits`` are given, what it starts, with these."""
    log = folder / "log.jsonl"
    program = WITHIN.format(limits=limits) if limits else CLI
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-c", program, *arguments], stderr=file)
    try:

        def listening() -> Any:
            assert process.poll() is None, log.read_text(encoding="utf-8")
            text = log.read_text(encoding="utf-8")
            return json.loads(text.splitlines()[0]) if "\n" in text else None

        yield Running(process, until(listening)["url"], log)
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that most tests share, with the model that ships."""
    with running(tmp_path_factory.mktemp("server"), "--alias", "whisper-1=an4") as started:
        yield started
        faults = [line for line in started.lines() if line["level"] == "error"]
        assert not faults, faults


@pytest.fixture
def client(server: Running) -> Iterator[OpenAI]:
    """OpenAI's own client, which tries again by itself only where a test says so."""
    with server.client(max_retries=0) as ours:
        yield ours
