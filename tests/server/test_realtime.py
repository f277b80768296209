"""OpenAI's own client transcribes over its realtime API unchanged."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import soundfile
import soxr
from websockets.exceptions import InvalidStatus

from tests.server.conftest import SAID, SAMPLE, Running

RATE = 24_000

pytestmark = pytest.mark.filterwarnings("ignore:connect.. must be used as a context manager:DeprecationWarning")
# which is how openai 3.57 calls websockets 17


def packets() -> list[str]:
    samples, rate = soundfile.read(SAMPLE, dtype="int16")
    data = soxr.resample(samples, rate, RATE).astype("<i2").tobytes()
    return [base64.b64encode(data[at : at + 9600]).decode() for at in range(0, len(data), 9600)]


def until_completed(connection: Any) -> list[Any]:
    events = []
    while not events or not events[-1].type.endswith((".completed", "error")):
        events.append(connection.recv())
    return events


def test_a_transcription_session(server: Running) -> None:
    with server.client() as client, client.realtime.connect(model="an4") as connection:
        assert connection.recv().type == "session.created"
        heard = {
            "format": {"type": "audio/pcm", "rate": RATE},
            "transcription": {"model": "whisper-1", "language": "en"},
        }
        connection.session.update(session={"type": "transcription", "audio": {"input": heard}})
        assert connection.recv().session.audio.input.transcription.model == "whisper-1"
        for packet in packets():
            connection.input_audio_buffer.append(audio=packet)
        connection.input_audio_buffer.commit()
        committed, delta, completed = until_completed(connection)
        for packet in packets():
            connection.input_audio_buffer.append(audio=packet)
        connection.input_audio_buffer.commit()
        second = until_completed(connection)
    assert (delta.delta, completed.transcript, completed.usage.seconds) == (SAID, SAID, 2)
    assert committed.item_id == delta.item_id == completed.item_id
    assert second[0].previous_item_id == committed.item_id and second[-1].transcript == SAID


def test_without_turns_nothing_is_final_before_the_client_commits(server: Running) -> None:
    silence = base64.b64encode(bytes(4 * RATE)).decode()
    with server.client() as client, client.realtime.connect(model="an4") as connection:
        connection.recv()
        audio = {"input": {"turn_detection": None}}
        connection.send({"type": "session.update", "session": {"type": "transcription", "audio": audio}})
        connection.recv()
        for packet in [*packets(), silence, *packets(), silence]:
            connection.input_audio_buffer.append(audio=packet)
        connection.input_audio_buffer.commit()
        completed = until_completed(connection)[-1]
    assert completed.transcript == f"{SAID} {SAID}"


def test_an_error_is_an_event_and_the_session_goes_on(server: Running) -> None:
    with server.client() as client, client.realtime.connect(model="an4") as connection:
        connection.recv()
        wrong: list[tuple[dict[str, Any], str | None]] = [
            ({"type": "response.create"}, "type"),
            ({"type": "input_audio_buffer.append", "audio": "no base64!"}, "audio"),
            ({"type": "input_audio_buffer.commit"}, None),
            ({"type": "session.update", "session": {"type": "realtime"}}, "session"),
            ({"type": "session.update", "session": {"type": "transcription", "audio": 1}}, "session: audio"),
        ]
        for event, param in wrong:
            connection.send(event)
            error = connection.recv()
            assert (error.type, error.error.code, error.error.param) == ("error", "request", param), event
        connection.input_audio_buffer.clear()
        assert connection.recv().type == "input_audio_buffer.cleared"


@pytest.mark.parametrize("model", ["../an4", "nobody"])
def test_a_model_that_there_is_not(server: Running, model: str) -> None:
    with server.client() as client, pytest.raises(InvalidStatus) as refused, client.realtime.connect(model=model):
        pass
    assert refused.value.response.status_code == 404
