"""Manifests are read whole or refused with the numbers of their bad lines."""

import json

import pytest

from asr.data import Utterance, read_manifest, write_manifest
from asr.errors import ManifestError

GOOD = {"id": "a", "audio_filepath": "a.wav", "duration": 1.5, "text": "YES", "speaker": "anna"}


@pytest.fixture
def manifest(tmp_path):
    def write(*lines):
        path = tmp_path / "m.jsonl"
        written = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        path.write_bytes("\n".join(written).encode())
        return path

    return write


def fault(path):
    with pytest.raises(ManifestError) as caught:
        read_manifest(path)
    return str(caught.value)


def test_what_is_written_is_read_again(tmp_path):
    utterances = [
        Utterance("a", "/recordings/a.flac", 1.234567, "YES", "anna"),
        Utterance("b", "/recordings/a.flac", 0.5, "", "anna", offset=1.25),
        Utterance("c", "/recordings/c.flac", 2.0, "één\u2028two\x85three\x1cfour\u2029", "bert"),
    ]
    write_manifest(tmp_path / "m.jsonl", utterances)
    assert read_manifest(tmp_path / "m.jsonl") == utterances
    assert (tmp_path / "m.jsonl").read_bytes().count(b"\n") == 3


def test_offset_is_written_only_where_there_is_one(tmp_path):
    write_manifest(tmp_path / "m.jsonl", [Utterance("a", "/a.wav", 1.0, "A", "anna")])
    assert "offset" not in json.loads((tmp_path / "m.jsonl").read_text())


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
def test_unicode_line_separators_end_no_line(manifest, separator):
    line = json.dumps(GOOD | {"text": f"A{separator}B"}, ensure_ascii=False)
    assert read_manifest(manifest(line))[0].text == f"A{separator}B"


def test_byte_order_mark_carriage_returns_and_blank_lines_are_nothing(manifest):
    path = manifest("\ufeff" + json.dumps(GOOD) + "\r", "", "  \r", json.dumps(GOOD | {"id": "b"}), "")
    assert [utterance.id for utterance in read_manifest(path)] == ["a", "b"]


def test_paths_are_relative_to_the_manifest(manifest, tmp_path):
    path = manifest(GOOD, GOOD | {"id": "b", "audio_filepath": "/elsewhere/b.wav"})
    assert [u.audio_filepath for u in read_manifest(path)] == [str(tmp_path / "a.wav"), "/elsewhere/b.wav"]


def test_a_manifest_read_by_a_relative_name_can_be_written_again(manifest, tmp_path, monkeypatch):
    manifest(GOOD)
    monkeypatch.chdir(tmp_path.parent)
    utterances = read_manifest(f"{tmp_path.name}/m.jsonl")
    write_manifest(f"{tmp_path.name}/again.jsonl", utterances)
    assert read_manifest(f"{tmp_path.name}/again.jsonl") == utterances


@pytest.mark.parametrize("missing", [{}, {"id": None, "speaker": None}])
def test_id_and_speaker_may_be_missing(manifest, missing):
    fields = {"audio_filepath": "folder/rec-1.wav", "duration": 1, "text": "A", "extra": [1]} | missing
    (utterance,) = read_manifest(manifest(fields))
    assert (utterance.id, utterance.speaker, utterance.duration) == ("rec-1", "rec-1", 1.0)


def test_speakers_named_by_number_are_written_out(manifest):
    assert read_manifest(manifest(GOOD | {"speaker": 1089}))[0].speaker == "1089"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"audio_filepath": None}, "'audio_filepath' must be a string, got None"),
        ({"audio_filepath": ""}, "'audio_filepath' is empty"),
        ({"text": 7}, "'text' must be a string, got 7"),
        ({"text": None}, "'text' must be a string, got None"),
        ({"duration": None}, "'duration' must be seconds, got None"),
        ({"duration": "1.5"}, "'duration' must be seconds, got '1.5'"),
        ({"duration": True}, "'duration' must be seconds, got True"),
        ({"duration": float("nan")}, "'duration' must be seconds, got nan"),
        ({"duration": float("inf")}, "'duration' must be seconds, got inf"),
        ({"duration": 10**400}, "'duration' must be seconds, got 1000"),
        ({"duration": -1}, "'duration' must be seconds, got -1"),
        ({"duration": 0}, "'duration' must be > 0 seconds, got 0"),
        ({"offset": -0.1}, "'offset' must be seconds, got -0.1"),
        ({"offset": None}, "'offset' must be seconds, got None"),
        ({"id": ""}, "'id' must be a name, got ''"),
        ({"id": ["a"]}, "'id' must be a name, got ['a']"),
        ({"speaker": False}, "'speaker' must be a name, got False"),
    ],
)
def test_a_bad_value_is_named_with_its_line(manifest, change, reason):
    message = fault(manifest(GOOD, "", GOOD | {"id": "b"} | change))
    assert "1 bad lines" in message
    assert f"line 3: {reason}" in message


@pytest.mark.parametrize("key", ["audio_filepath", "duration", "text"])
def test_a_missing_key_is_named(manifest, key):
    assert f"line 1: {key!r} must be" in fault(manifest({k: v for k, v in GOOD.items() if k != key}))


@pytest.mark.parametrize("line", ["not json", "[]", '"a"', "{", "[" * 100_000, '{"id": "a"} {"id": "b"}'])
def test_a_line_that_is_no_object_is_named(manifest, line):
    assert "line 2: " in fault(manifest(GOOD, line))


def test_a_repeated_id_is_named_with_both_lines(manifest):
    assert "line 3: id 'a' is also on line 1" in fault(manifest(GOOD, GOOD | {"id": "b"}, GOOD))


def test_recordings_of_one_stem_without_ids_are_refused(manifest):
    fields = {"duration": 1, "text": "A"}
    message = fault(manifest({"audio_filepath": "x/1.wav"} | fields, {"audio_filepath": "y/1.wav"} | fields))
    assert "line 2: id '1' is also on line 1" in message


def test_of_a_thousand_bad_lines_twenty_are_shown(manifest):
    lines = fault(manifest(*["x"] * 1000)).splitlines()
    assert lines[0].endswith("m.jsonl: 1000 bad lines")
    assert lines[20].startswith("  line 20: ")
    assert lines[21:] == ["  … and 980 more"]


def test_all_bad_lines_are_shown_up_to_twenty(manifest):
    assert len(fault(manifest(*["x"] * 20)).splitlines()) == 21


@pytest.mark.parametrize("lines", [(), ("", " ")])
def test_a_manifest_without_utterances_is_refused(manifest, lines):
    assert fault(manifest(*lines)).endswith("m.jsonl: no utterances")


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    assert "cannot be read" in fault(tmp_path / "none.jsonl")
    assert "cannot be read" in fault(tmp_path)
    (tmp_path / "latin.jsonl").write_bytes(b'{"text": "caf\xe9"}')
    assert "cannot be read" in fault(tmp_path / "latin.jsonl")


def test_a_writer_that_fails_leaves_the_manifest_as_it_was(tmp_path):
    path = tmp_path / "m.jsonl"
    write_manifest(path, [Utterance("a", "/a.wav", 1.0, "A", "anna")])
    before = path.read_bytes()

    def failing():
        yield Utterance("b", "/b.wav", 1.0, "B", "anna")
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError):
        write_manifest(path, failing())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
