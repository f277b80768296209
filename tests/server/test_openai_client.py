"""OpenAI's own client works unchanged: every format, streams, errors, and what it tries again by itself."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import OpenAI

from asr import load_model
from asr.inference import Transcript
from asr.inference.writers import render_transcript
from tests.server.conftest import SAID, SAMPLE, Running, running


@pytest.fixture(scope="module")
def transcript() -> Transcript:
    """What the package itself says of the recording."""
    return load_model().transcribe(SAMPLE)


def create(client: OpenAI, file: Any = SAMPLE, model: str = "an4", **fields: Any) -> Any:
    return client.audio.transcriptions.create(file=file, model=model, **fields)


def test_json(client: OpenAI, transcript: Transcript) -> None:
    answer = create(client)
    assert (answer.text, transcript.text) == (SAID, SAID)
    assert answer.usage.type == "duration" and answer.usage.seconds == 2


def test_the_text_is_that_of_the_command_line(client: OpenAI) -> None:
    ran = subprocess.run([sys.executable, "-m", "asr", "transcribe", str(SAMPLE)], capture_output=True, text=True)
    assert create(client, response_format="text") == ran.stdout


@pytest.mark.parametrize("name", ["srt", "vtt"])
def test_subtitles_are_those_of_the_package(client: OpenAI, transcript: Transcript, name: str) -> None:
    assert create(client, response_format=name) == render_transcript(transcript, name)


def test_verbose_json_has_segments_and_words_with_times_and_confidence(client: OpenAI, transcript: Transcript) -> None:
    answer = create(client, response_format="verbose_json", timestamp_granularities=["word", "segment"])
    assert (answer.text, answer.language, answer.duration) == (SAID, "english", pytest.approx(1.745, abs=1e-3))
    (segment,), (expected,) = answer.segments, transcript.segments
    assert (segment.text, segment.start, segment.end) == (
        SAID,
        pytest.approx(expected.start),
        pytest.approx(expected.end),
    )
    assert segment.confidence == pytest.approx(expected.confidence, abs=1e-4)
    assert [(w.word, w.start, w.end, w.confidence) for w in answer.words] == [
        (w.text, pytest.approx(w.start), pytest.approx(w.end), pytest.approx(w.confidence, abs=1e-4))
        for w in expected.words
    ]


def test_verbose_json_has_words_only_where_they_are_asked_for(client: OpenAI) -> None:
    assert create(client, response_format="verbose_json").words is None
    words_alone = create(client, response_format="verbose_json", timestamp_granularities=["word"])
    assert words_alone.segments is None and words_alone.words[0].word == SAID.split()[0]


def test_a_stream_of_deltas_that_are_the_text(client: OpenAI) -> None:
    *deltas, last = create(client, stream=True)
    assert [event.type for event in deltas] == ["transcript.text.delta"] * len(deltas)
    assert "".join(event.delta for event in deltas) == last.text == SAID
    assert last.type == "transcript.text.done" and last.usage.seconds == 2


def test_a_stream_of_segments(client: OpenAI) -> None:
    events = [json.loads(event.to_json()) for event in create(client, stream=True, response_format="verbose_json")]
    assert [event["type"].rpartition(".")[2] for event in events] == ["delta", "segment", "done"]
    assert [word["word"] for word in events[1]["words"]] == SAID.split()


def test_logprobs_are_the_logarithms_of_confidence(client: OpenAI, transcript: Transcript) -> None:
    import math

    answer = create(client, include=["logprobs"])
    expected = [math.log(word.confidence) for word in transcript.segments[0].words]
    assert [one.token for one in answer.logprobs] == SAID.split()
    assert [one.logprob for one in answer.logprobs] == pytest.approx(expected, abs=1e-3)


def test_what_changes_nothing_is_accepted(client: OpenAI) -> None:
    vad = {"type": "server_vad", "silence_duration_ms": 200}
    given = {"prompt": "numbers", "temperature": 0.4, "language": "en-US", "chunking_strategy": vad}
    assert create(client, **given, extra_body={"languages": ["de", "en"]}).text == SAID
    assert create(client, chunking_strategy="auto", language="english").text == SAID


def test_keywords_are_hotwords(client: OpenAI) -> None:
    """One of a great weight takes the place of a word that is like it."""
    answer = create(client, extra_body={"keywords": ["ENER:40"]})
    assert answer.text == SAID.replace("ENTER", "ENER")


def test_an_alias_is_a_model(client: OpenAI) -> None:
    assert create(client, model="whisper-1").text == SAID
    assert [(one.id, one.owned_by) for one in client.models.list()] == [("an4", "asr"), ("whisper-1", "asr")]
    assert client.models.retrieve("whisper-1").to_dict()["alias_of"] == "an4"


def test_several_files_at_once_have_each_its_own_text(client: OpenAI) -> None:
    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(lambda _: create(client).text, range(24)))
    assert texts == [SAID] * 24


# Errors


def refused(client: OpenAI, kind: type[openai.APIStatusError], **fields: Any) -> Any:
    with pytest.raises(kind) as caught:
        create(client, **fields)
    return caught.value


def test_another_model(client: OpenAI) -> None:
    fault = refused(client, openai.NotFoundError, model="../an4")
    assert (fault.status_code, fault.code) == (404, "bundle-not-found")
    assert "there are an4, whisper-1" in fault.message


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "audio-empty"),
        (b"no audio at all, just text", "audio-format"),
        (SAMPLE.read_bytes()[:20_000], "audio-truncated"),
    ],
)
def test_a_broken_file_is_named_with_the_code_of_the_command_line(client: OpenAI, content: bytes, code: str) -> None:
    fault = refused(client, openai.BadRequestError, file=("../some/broken.wav", io.BytesIO(content)))
    assert (fault.code, fault.param, fault.type) == (code, "file", "invalid_request_error")
    assert "broken.wav: " in fault.message and "some/" not in fault.message and "\n" not in fault.message


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"response_format": "diarized_json"}, "response_format"),
        ({"response_format": "xml"}, "response_format"),
        ({"known_speaker_names": ["Ada"]}, "known_speaker_names"),
        ({"language": "de"}, "language"),
        ({"temperature": 3}, "temperature"),
        ({"stream": True, "response_format": "srt"}, "stream"),
        ({"timestamp_granularities": ["word"]}, "timestamp_granularities"),
        ({"extra_body": {"respons_format": "srt"}}, "respons_format"),
        ({"extra_body": {"keywords": ["Ada:much"]}}, "keywords"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(client: OpenAI, fields: dict[str, Any], param: str) -> None:
    fault = refused(client, openai.BadRequestError, **fields)
    assert (fault.code, fault.param) == ("request", param)
    assert param in fault.message


def test_a_hotword_that_cannot_be_written_is_named(client: OpenAI) -> None:
    assert refused(client, openai.BadRequestError, extra_body={"keywords": ["7up"]}).code == "vocabulary"


def test_too_many_bytes_and_too_many_seconds(tmp_path: Path) -> None:
    with running(tmp_path, "--max_upload_mb", "1", "--max_audio_s", "1") as small, small.client() as client:
        too_large = refused(client, openai.APIStatusError, file=("big.wav", bytes(2 << 20)))
        too_long = refused(client, openai.APIStatusError)
    assert (too_large.status_code, too_large.code) == (413, "too-large")
    assert (too_long.status_code, too_long.code) == (413, "audio-too-long")


def test_a_full_queue_is_tried_again_by_the_client_itself(tmp_path: Path) -> None:
    with running(tmp_path, "--max_requests", "1") as narrow:
        with narrow.client(max_retries=0) as client, ThreadPoolExecutor(12) as pool:
            tried = list(pool.map(lambda _: _text_or_error(client), range(36)))
        with narrow.client(max_retries=20) as client, ThreadPoolExecutor(4) as pool:
            texts = list(pool.map(lambda _: create(client).text, range(4)))
    faults = [one for one in tried if one != SAID]
    assert faults and {fault.code for fault in faults} == {"queue-full"}
    assert all(1 <= int(fault.response.headers["retry-after"]) <= 30 for fault in faults)
    assert texts == [SAID] * 4


def _text_or_error(client: OpenAI) -> Any:
    try:
        return create(client).text
    except openai.RateLimitError as fault:
        return fault


def test_keys(tmp_path: Path) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text("first-key\nsecond-key\n", encoding="utf-8")
    with running(tmp_path, "--api_key_file", str(keys)) as closed:
        with closed.client() as stranger:
            fault = refused(stranger, openai.AuthenticationError)
        for key in ("first-key", "second-key"):
            with OpenAI(base_url=f"{closed.url}/v1", api_key=key) as friend:
                assert create(friend).text == SAID
    assert (fault.status_code, fault.code) == (401, "api-key")


def test_the_log_has_ids_and_no_transcripts(server: Running, client: OpenAI) -> None:
    create(client, extra_headers={"x-request-id": "my-own-id"})
    line = server.line_of(request_id="my-own-id")
    assert (line["status"], line["model"], line["audio_s"], line["path"]) == (
        200,
        "an4",
        1.745,
        "/v1/audio/transcriptions",
    )
    assert SAID not in server.log.read_text(encoding="utf-8")


def test_transcripts_are_in_the_log_where_they_are_asked_for(tmp_path: Path) -> None:
    with running(tmp_path, "--log_transcripts") as open_hearted, open_hearted.client() as client:
        create(client)
        assert open_hearted.line_of(text=SAID)["status"] == 200
