"""Clients that are slow, go away, or are too many cost the server nothing for long; SIGTERM lets the others finish."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.server.conftest import SAID, SAMPLE, Running, form, head_of, read_all, running, until


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that waits for half a second at most."""
    limits: dict[str, float] = {"header_s": 0.5, "upload_s": 0.5, "idle_s": 0.5, "connections": 20}
    with running(tmp_path_factory.mktemp("impatient"), **limits) as started:
        yield started


@pytest.fixture(scope="module")
def long_recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two minutes: the sample over and over, with pauses."""
    return _repeated(tmp_path_factory.mktemp("long") / "long.wav", 44)


def _repeated(path: Path, times: int) -> Path:
    samples, rate = soundfile.read(SAMPLE, dtype="int16")
    soundfile.write(path, np.tile(np.concatenate([samples, np.zeros(rate, np.int16)]), times), rate)
    return path


# Slow clients


@pytest.mark.parametrize("sent", [b"", b"GET /health HTT", b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: "])
def test_headers_that_do_not_come_are_not_waited_for(impatient: Running, sent: bytes) -> None:
    with socket.create_connection(impatient.address) as client:
        client.sendall(sent)
        began = time.monotonic()
        assert read_all(client) == b""
        assert time.monotonic() - began < 5


def test_headers_that_come_a_byte_at_a_time_are_not_waited_for(impatient: Running) -> None:
    with socket.create_connection(impatient.address) as client:
        with pytest.raises(OSError):  # noqa: PT011
            for byte in b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + bytes(100):
                client.sendall(bytes([byte]))
                time.sleep(0.1)


def test_a_body_that_comes_a_byte_at_a_time_is_refused(impatient: Running) -> None:
    body = form(SAMPLE.read_bytes(), model="an4")
    with socket.create_connection(impatient.address) as client:
        client.sendall(head_of(body))
        client.settimeout(0.1)
        answer, at = b"", 0
        while not answer.endswith(b"}"):
            client.sendall(body[at : at + 1])
            at += 1
            try:
                answer += client.recv(65536)
            except TimeoutError:
                continue
    assert at < 100
    assert answer.startswith(b"HTTP/1.1 408 ") and b'"too-slow"' in answer


def test_an_early_answer_is_read_though_the_body_is_not(impatient: Running) -> None:
    """A body of another kind is refused by its headers; the client that sends all of it first still gets the answer."""
    head = head_of(bytes(3 << 20)).replace(b"multipart/form-data", b"application/zip")
    with socket.create_connection(impatient.address) as client:
        client.sendall(head + bytes(3 << 20))
        client.settimeout(20)
        assert client.recv(65536).startswith(b"HTTP/1.1 415 ")
    with impatient.client() as fine:
        assert fine.audio.transcriptions.create(file=SAMPLE, model="an4").text == SAID


@pytest.mark.parametrize("path", ["/no/such/route", "/v1/audio/transcriptions"])
def test_a_client_that_sends_all_before_it_reads_has_its_refusal(server: Running, path: str) -> None:
    """Also where it has the connection closed: bytes that nobody read would reset it, and lose the answer."""
    body = form(bytes(2 << 20), model="nobody")
    head = head_of(body).replace(b"/v1/audio/transcriptions", path.encode())
    request = head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + body
    for _ in range(20):
        with socket.create_connection(server.address) as client:
            client.settimeout(20)
            client.sendall(request)
            answer = b"".join(iter(lambda: client.recv(65536), b""))  # a connection that is reset raises
        assert answer.startswith(b"HTTP/1.1 404 ") and b'"code"' in answer


def test_a_live_stream_on_which_nothing_comes_is_closed(impatient: Running) -> None:
    with connect(f"{impatient.websocket}/live") as client:
        assert json.loads(client.recv(timeout=20))["error"]["code"] == "too-slow"
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=20)


def test_more_connections_than_are_taken_are_told_so(impatient: Running) -> None:
    held = [socket.create_connection(impatient.address) for _ in range(25)]
    try:
        held[-1].sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = read_all(held[-1])
    finally:
        for client in held:
            client.close()
    assert answer.startswith(b"HTTP/1.1 503 ") and b'"busy"' in answer and b"retry-after: " in answer
    until(lambda: impatient.metric("asr_transcriptions") == 0)


# Clients that go away


def test_an_upload_that_is_aborted_leaves_nothing(server: Running) -> None:
    body = form(SAMPLE.read_bytes(), model="an4")
    for end in (len(body) // 2, len(body) - 1):
        for _ in range(20):
            with socket.create_connection(server.address) as client:
                client.sendall(head_of(body) + body[:end])
    until(lambda: server.metric("asr_transcriptions") == 0 and server.metric("asr_spool_bytes") == 0)
    with server.client() as fine:
        assert fine.audio.transcriptions.create(file=SAMPLE, model="an4").text == SAID


@pytest.mark.parametrize("stream", ["true", "false"])
def test_the_work_for_a_client_that_goes_away_stops(server: Running, long_recording: Path, stream: str) -> None:
    before = server.metric("asr_audio_seconds_total")
    body = form(long_recording.read_bytes(), model="an4", stream=stream)
    with socket.create_connection(server.address) as client:
        client.sendall(head_of(body) + body)
        until(lambda: server.metric("asr_queue_length") + server.metric("asr_transcriptions") > 0)
    until(lambda: server.metric("asr_transcriptions") == 0)
    assert server.metric("asr_audio_seconds_total") == before
    assert server.line_of(status=499)["path"] == "/v1/audio/transcriptions"


def test_a_short_recording_does_not_wait_for_long_ones(server: Running, long_recording: Path) -> None:
    done: list[str] = []

    def transcribe(path: Path) -> str:
        with server.client(timeout=120) as client:
            text: str = client.audio.transcriptions.create(file=path, model="an4").text
            done.append(path.name)
            return text

    with ThreadPoolExecutor(4) as pool:
        long_ones = [pool.submit(transcribe, long_recording) for _ in range(3)]
        until(lambda: server.metric("asr_transcriptions") == 3)
        assert pool.submit(transcribe, SAMPLE).result() == SAID
        texts = [one.result() for one in long_ones]
    assert done[0] == SAMPLE.name
    assert len(set(texts)) == 1 and texts[0].count("ENTER") >= 40


# SIGTERM


def test_requests_are_answered_after_sigterm(tmp_path: Path) -> None:
    path = _repeated(tmp_path / "half_a_minute.wav", 11)
    with running(tmp_path, "--threads", "1", "--drain_s", "140") as stopping:
        with stopping.client(max_retries=0, timeout=150) as client, ThreadPoolExecutor(6) as pool:
            accepted = [pool.submit(_transcribe, client, path) for _ in range(6)]
            until(lambda: stopping.metric("asr_transcriptions") == 6)
            code = stopping.stop()
            texts = [one.result() for one in accepted]
    assert code == 0
    assert len(set(texts)) == 1 and texts[0].count("ENTER") >= 10
    events = {line["event"]: line for line in stopping.lines()}
    assert events["stopping"]["requests"] > 0 and [*events][-1] == "stopped"


def _transcribe(client: Any, path: Path) -> str:
    text: str = client.audio.transcriptions.create(file=path, model="an4").text
    return text


def test_live_streams_have_their_last_words_after_sigterm(tmp_path: Path) -> None:
    samples, rate = soundfile.read(SAMPLE, dtype="int16")
    with running(tmp_path) as stopping, connect(f"{stopping.websocket}/live") as client:
        client.send(json.dumps({"config": {"sample_rate": rate}}))
        client.send(samples.tobytes())
        answers = [json.loads(client.recv(timeout=20))]
        code = stopping.stop()
        answers += [json.loads(message) for message in client]
        assert client.close_code in (1000, 1001)
    assert code == 0
    assert " ".join(filter(None, (answer.get("text") for answer in answers))) == SAID
