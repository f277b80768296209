"""What operators ask, and who may ask: routes of their own, hosts, origins, the page's policy."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from typing import Any

import pytest

from tests.server.conftest import SAMPLE, Running


def ask(server: Running, path: str, method: str = "GET", **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection(*server.address, timeout=20)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=named)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def error_of(body: bytes) -> Any:
    return json.loads(body)["error"]


@pytest.mark.parametrize(("path", "state"), [("/health", "ok"), ("/ready", "ready")])
def test_health_and_readiness(server: Running, path: str, state: str) -> None:
    status, _, body = ask(server, path)
    assert (status, json.loads(body)["status"]) == (200, state)


def test_metrics_count_requests_and_seconds_of_audio(server: Running) -> None:
    with server.client() as client:
        before = server.metric("asr_audio_seconds_total")
        client.audio.transcriptions.create(file=SAMPLE, model="an4")
        assert server.metric("asr_audio_seconds_total") - before == pytest.approx(1.745, abs=1e-3)
    for name in ("asr_requests_total", "asr_request_seconds_count", "asr_real_time_factor_count"):
        assert server.metric(name) > 0
    assert server.metric("asr_transcriptions") == server.metric("asr_queue_length") == 0


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/no/such/route", 404, "not-found"),
        ("GET", "/page/../app.py", 404, "not-found"),
        ("GET", "/page/%2e%2e%2fapp.py", 404, "not-found"),
        ("DELETE", "/v1/models", 405, "method"),
        ("GET", "/v1/audio/transcriptions", 405, "method"),
        ("POST", "/v1/audio/transcriptions", 415, "content-type"),
    ],
)
def test_errors_have_one_shape(server: Running, method: str, path: str, status: int, code: str) -> None:
    got, headers, body = ask(server, path, method)
    assert (got, error_of(body)["code"]) == (status, code)
    assert headers["x-request-id"] and headers["content-type"] == "application/json"


def test_a_request_id_is_the_clients_where_it_has_the_shape_of_one(server: Running) -> None:
    assert ask(server, "/health", x_request_id="of-mine.1")[1]["x-request-id"] == "of-mine.1"
    assert ask(server, "/health", x_request_id="a b; c")[1]["x-request-id"] != "a b; c"


def test_a_name_that_resolves_here_is_no_host_of_a_server_on_loopback(server: Running) -> None:
    """A page of another site may point its own name at 127.0.0.1; its requests then have its name as their host."""
    status, _, body = ask(server, "/v1/models", Host="evil.example:8000")
    assert (status, error_of(body)["code"]) == (403, "host")
    for name in ("localhost", "127.0.0.1:8000", "[::1]:8000"):
        assert ask(server, "/v1/models", Host=name)[0] == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example"])
def test_pages_of_other_sites_may_not_use_it(server: Running, origin: str) -> None:
    status, _, body = ask(server, "/v1/models", Origin=origin, Host="localhost")
    assert (status, error_of(body)["code"]) == (403, "origin")


def test_its_own_page_may_use_it(server: Running) -> None:
    assert ask(server, "/v1/models", Origin="http://localhost:8000", Host="localhost:8000")[0] == 200


def test_the_page_loads_nothing_from_elsewhere(server: Running) -> None:
    status, headers, body = ask(server, "/")
    assert status == 200 and headers["content-type"].startswith("text/html") and b"<" in body
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert ask(server, "/", If_None_Match=headers["etag"])[0] == 304


def test_check_says_what_it_would_serve_and_ends() -> None:
    ran = serve("--check", "--port", "0", "--model", "an4", "librispeech_13h", "--alias", "whisper-1=an4")
    assert ran.returncode == 0
    assert [line.split(":")[0] for line in ran.stdout.splitlines() if line.startswith("model")] == [
        "model an4",
        "model librispeech_13h",
        "model whisper-1 (alias of an4)",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--alias", "whisper-1"], "asr: error[config]: --alias whisper-1: ID=NAME is needed"),
        (["--alias", "whisper-1=nobody"], "asr: error[config]: alias whisper-1=nobody: nobody is not served"),
        (["--model", "an4", "an4"], "asr: error[config]: two models are called an4"),
        (["--model", "nobody"], "asr: error[bundle-not-found]: no bundle 'nobody'"),
        (["--api_key_file", "no/such/file"], "asr: error[config]: no/such/file cannot be read"),
        (["--host", "203.0.113.7"], "asr: error[config]: cannot listen on 203.0.113.7:0"),
        (["--port", "70000"], "asr: error[config]: a port is from 0 to 65535, got 70000"),
    ],
)
def test_what_is_wrong_with_the_command_line_is_one_line(arguments: list[str], said: str) -> None:
    ran = serve("--check", "--port", "0", *arguments)
    assert ran.returncode == 1 and ran.stderr.startswith(said) and ran.stderr.count("\n") == 1


def test_without_the_extra_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['starlette'] = None; from asr.cli.main import main; sys.exit(main(['serve']))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 1
    assert ran.stderr.startswith("asr: error[missing-extra]: asr serve needs starlette; pip install ")
    assert ran.stderr.endswith("[serve]'\n")


def serve(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "asr", "serve", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)
