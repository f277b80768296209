"""A client of vosk-server works unchanged: it sends a packet, waits for its answer, and sends the next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from asr import load_model
from tests.server.conftest import SAID, SAMPLE, Running, running

RATE = 16_000


def pcm(seconds_after: float = 0.0) -> bytes:
    samples, rate = soundfile.read(SAMPLE, dtype="int16")
    assert rate == RATE
    return np.concatenate([samples, np.zeros(round(seconds_after * RATE), np.int16)]).tobytes()


def ask(socket: ClientConnection, message: bytes | str) -> dict[str, Any]:
    socket.send(message)
    answer: dict[str, Any] = json.loads(socket.recv(timeout=20))
    return answer


def say(socket: ClientConnection, data: bytes, size: int = 4000) -> list[dict[str, Any]]:
    return [ask(socket, data[at : at + size]) for at in range(0, len(data), size)]


def configure(socket: ClientConnection, **config: Any) -> None:
    socket.send(json.dumps({"config": {"sample_rate": RATE, **config}}))


def test_the_client_of_vosk_server(server: Running) -> None:
    """The script of its repository: config, packets each with its answer, ``{"eof" : 1}`` as it writes it."""
    with connect(server.websocket) as socket:
        configure(socket)
        answers = say(socket, pcm())
        last = ask(socket, '{"eof" : 1}')
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=10)
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1000
    assert all(set(answer) == {"partial", "stable"} or set(answer) == {"text"} for answer in answers)
    assert " ".join(filter(None, (answer.get("text") for answer in [*answers, last]))) == SAID


def test_words_have_times_and_confidence(server: Running) -> None:
    expected = load_model().transcribe(SAMPLE).segments[0].words
    with connect(f"{server.websocket}/live?model=an4") as socket:
        configure(socket, words=True)
        answers = [*say(socket, pcm()), ask(socket, '{"eof": 1}')]
    words = [word for answer in answers for word in answer.get("result", ())]
    assert [word["word"] for word in words] == SAID.split()
    assert [word["start"] for word in words] == pytest.approx([word.start for word in expected], abs=0.05)
    assert all(0 < word["conf"] <= 1 for word in words)


def test_a_pause_makes_it_final_while_the_client_goes_on(server: Running) -> None:
    with connect(f"{server.websocket}/live") as socket:
        configure(socket, endpoint_silence_s=0.5)
        answers = say(socket, pcm(1.0), 1600)
    assert [answer["text"] for answer in answers if "text" in answer] == [SAID]


def test_a_client_that_does_not_wait_gets_as_many_answers(server: Running) -> None:
    data, size = pcm(2.0), 1000
    with connect(f"{server.websocket}/live") as socket:
        configure(socket)
        packets = [data[at : at + size] for at in range(0, len(data), size)]
        for packet in packets:
            socket.send(packet)
        socket.send('{"eof": 1}')
        answers = [json.loads(message) for message in socket]
    assert len(answers) == len(packets) + 1
    assert " ".join(filter(None, (answer.get("text") for answer in answers))) == SAID


def test_packets_that_end_within_a_sample(server: Running) -> None:
    with connect(f"{server.websocket}/live") as socket:
        configure(socket)
        answers = [*say(socket, pcm(), 3999), ask(socket, '{"eof": 1}')]
    assert " ".join(filter(None, (answer.get("text") for answer in answers))) == SAID


def test_a_reset_makes_final_what_was_said_and_goes_on(server: Running) -> None:
    with connect(f"{server.websocket}/live") as socket:
        configure(socket, words=True)
        first = [*say(socket, pcm()), ask(socket, '{"reset": 1}')]
        second = [*say(socket, pcm()), ask(socket, '{"eof": 1}')]
    for answers in (first, second):
        assert " ".join(filter(None, (answer.get("text") for answer in answers))) == SAID
    words = [word for answer in second for word in answer.get("result", ())]
    assert words[0]["start"] > 1.745  # times count from the first sample of the connection


def test_phrases_alone_and_hotwords_and_alternatives(server: Running) -> None:
    with connect(f"{server.websocket}/live") as socket:
        configure(socket, phrase_list=["ENTER", "NINE", "[unk]"])
        answers = [*say(socket, pcm()), ask(socket, '{"eof": 1}')]
    said = " ".join(filter(None, (answer.get("text") for answer in answers)))
    assert said and set(said.split()) <= {"ENTER", "NINE"}
    with connect(f"{server.websocket}/live") as socket:
        configure(socket, max_alternatives=3, hotwords=["ENER:40"])
        say(socket, pcm())
        last = ask(socket, '{"eof": 1}')
    assert 1 < len(last["alternatives"]) <= 3
    assert last["alternatives"][0]["text"] == SAID.replace("ENTER", "ENER")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('{"config": {"model": "/etc"}}', "bundle-not-found"),
        ('{"config": {"sample_rat": 8000}}', "config"),
        ('{"config": {"sample_rate": 10}}', "sample-rate"),
        ('{"config": {"sample_rate": NaN}}', "config"),
        ('{"config": {"endpoint_silence_s": 0.01}}', "config"),
        ('{"config": {"phrase_list": ["7up"]}}', "vocabulary"),
        ('{"config": 1}', "request"),
        ('{"konfig": {}}', "request"),
        ("[", "request"),
        ("[" * 100_000, "request"),
    ],
)
def test_what_is_wrong_is_said_before_the_server_closes(server: Running, message: str, code: str) -> None:
    with connect(f"{server.websocket}/live") as socket:
        socket.send(message)
        socket.send(bytes(640))
        error = json.loads(socket.recv(timeout=20))["error"]
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=10)
    assert error["code"] == code and error["message"]
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008


def test_a_key_is_shown_as_browsers_can(tmp_path: Path) -> None:
    (tmp_path / "keys.txt").write_text("the-key\n", encoding="utf-8")
    with running(tmp_path, "--api_key_file", str(tmp_path / "keys.txt")) as closed:
        with pytest.raises(InvalidStatus) as refused:
            connect(f"{closed.websocket}/live")
        subprotocols = [f"openai-insecure-api-key.{key}" for key in ("the-key",)]
        with connect(f"{closed.websocket}/live", subprotocols=["asr", *subprotocols]) as socket:
            assert socket.subprotocol == "asr"
            assert ask(socket, '{"eof": 1}') == {"text": ""}
    assert refused.value.response.status_code == 401
    assert json.loads(refused.value.response.body)["error"]["code"] == "api-key"


def test_no_more_streams_than_are_taken(tmp_path: Path) -> None:
    with running(tmp_path, "--max_live", "1") as narrow:
        with connect(f"{narrow.websocket}/live"), pytest.raises(InvalidStatus) as refused:
            connect(f"{narrow.websocket}/live")
        assert refused.value.response.status_code == 503
        assert int(refused.value.response.headers["retry-after"]) >= 1
