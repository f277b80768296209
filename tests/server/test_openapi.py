"""Cases that schemathesis makes from the API's own description: every answer is one that the description has.

No answer is a 5xx but 503. ``--fuzz N`` tries N of them; 10,000 take minutes.
"""

from __future__ import annotations

import json
import socket
from random import Random
from typing import Any
from urllib.request import urlopen

import hypothesis
import pytest
import schemathesis
from hypothesis import strategies
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.conftest import Fuzz
from tests.server.conftest import SAMPLE, Running, form, head_of, read_all

CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
TRANSCRIPTIONS = "/v1/audio/transcriptions"


@pytest.fixture(scope="module")
def description(server: Running) -> Any:
    with urlopen(f"{server.url}/openapi.json", timeout=10) as answer:
        return json.load(answer)


def test_it_names_every_route_for_programs(description: Any) -> None:
    assert set(description["paths"]) == {
        TRANSCRIPTIONS,
        "/v1/models",
        "/v1/models/{model}",
        "/health",
        "/ready",
        "/metrics",
    }


def cases(description: Any, url: str) -> strategies.SearchStrategy[Case]:
    """Cases as the description has them, and others; every other recording is a real one."""
    schema = schemathesis.openapi.from_dict(description)
    schema.config.update(base_url=url)
    others = [operation.ok() for operation in schema.get_all_operations()]
    made = [one.as_strategy(generation_mode=mode) for one in others for mode in GenerationMode]
    form = schema[TRANSCRIPTIONS]["POST"].as_strategy(generation_mode=GenerationMode.POSITIVE).map(_with_real_recording)
    return strategies.one_of(form, *made)


def _with_real_recording(case: Case) -> Case:
    assert isinstance(case.body, dict)
    case.body |= {"file": SAMPLE.read_bytes(), "model": "an4"}
    return case


def test_damaged_forms_are_answered(server: Running, fuzz: Fuzz) -> None:
    """Bytes of a form are changed, cut out and doubled; none of it is a fault of the server."""
    fields = {"model": "an4", "response_format": "verbose_json", "keywords[]": "RUBOUT"}
    whole = form(SAMPLE.read_bytes(), **fields)
    for random in fuzz.draws():
        body = _damaged(whole, random)
        with socket.create_connection(server.address, timeout=20) as connection:
            connection.sendall(head_of(body).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + body)
            status = int(read_all(connection).split(b" ", 2)[1])
        assert status in (200, 400, 404, 413, 415), status


def _damaged(body: bytes, random: Random) -> bytes:
    """Change up to three places, mostly of the first bytes, where the form's own are, and the recording's header."""
    damaged = bytearray(body)
    for _ in range(random.randint(1, 3)):
        at = random.randrange(min(len(damaged), random.choice((700, len(body)))))
        size = random.randint(1, 30)
        match random.randrange(3):
            case 0:
                damaged[at : at + size] = random.randbytes(size)
            case 1:
                del damaged[at : at + size]
            case _:
                damaged[at:at] = damaged[at : at + size]
    return bytes(damaged)


def test_every_answer_is_described(server: Running, description: Any, fuzz: Fuzz) -> None:
    statuses: dict[int, int] = {}

    @hypothesis.settings(
        max_examples=fuzz.count, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck)
    )
    @hypothesis.seed(fuzz.seed)
    @hypothesis.given(cases(description, server.url))
    def check(case: Case) -> None:
        answer = case.call(timeout=60)
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
        assert answer.status_code < 500 or answer.status_code == 503, answer.text
        case.validate_response(answer, checks=CHECKS)

    check()
    print(statuses)
    assert statuses[200] and statuses[400], statuses
