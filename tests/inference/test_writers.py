"""Each format as a program that never saw the writer reads it."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from asr.errors import ConfigError
from asr.inference import Segment, Transcript
from asr.inference.writers import WRITERS, write_transcript

SEGMENTS = (
    Segment(0.32, 1.9, "HELLO THERE"),
    Segment(59.9996, 61.0004, "ONE --> TWO & <THREE>"),
    Segment(3661.25, 3725.5, "NAÏVE CAFÉ"),
)
TRANSCRIPT = Transcript(" ".join(s.text for s in SEGMENTS), SEGMENTS, 3726.0)
SILENCE = Transcript("", (), 2.0)


def seconds(clock: str) -> float:
    *hours, minutes, rest = clock.replace(",", ".").split(":")
    return 3600 * int(hours[0] if hours else 0) + 60 * int(minutes) + float(rest)


def near(segments: list[tuple[float, float, str]], texts: list[str]) -> None:
    assert [t for _, _, t in segments] == texts
    for (start, end, _), s in zip(segments, SEGMENTS, strict=True):
        assert (start, end) == pytest.approx((s.start, s.end), abs=0.00051)


def test_txt() -> None:
    assert WRITERS["txt"](TRANSCRIPT).splitlines() == [s.text for s in SEGMENTS]


def test_json() -> None:
    read = json.loads(WRITERS["json"](TRANSCRIPT))
    assert read["text"] == TRANSCRIPT.text and read["duration"] == 3726.0
    assert [s["id"] for s in read["segments"]] == [0, 1, 2]
    near([(s["start"], s["end"], s["text"]) for s in read["segments"]], [s.text for s in SEGMENTS])


def test_srt() -> None:
    text = WRITERS["srt"](TRANSCRIPT)
    cue = re.compile(r"(\d+)\n(\d\d:\d\d:\d\d,\d{3}) --> (\d\d:\d\d:\d\d,\d{3})\n(.+)\n\n")
    assert cue.sub("", text) == ""
    cues = cue.findall(text)
    assert [c[0] for c in cues] == ["1", "2", "3"]
    expected = ["HELLO THERE", "ONE -> TWO & <THREE>", "NAÏVE CAFÉ"]
    near([(seconds(a), seconds(b), t) for _, a, b, t in cues], expected)
    assert text.startswith("1\n00:00:00,320 --> 00:00:01,900\nHELLO THERE\n\n2\n00:01:00,000 --> 00:01:01,000\n")


def test_vtt() -> None:
    text = WRITERS["vtt"](TRANSCRIPT)
    head, rest = text.split("\n\n", 1)
    assert head == "WEBVTT"
    cue = re.compile(r"((?:\d\d:)?\d\d:\d\d\.\d{3}) --> ((?:\d\d:)?\d\d:\d\d\.\d{3})\n(.+)\n\n")
    assert cue.sub("", rest) == ""
    expected = ["HELLO THERE", "ONE -> TWO &amp; &lt;THREE>", "NAÏVE CAFÉ"]
    near([(seconds(a), seconds(b), t) for a, b, t in cue.findall(rest)], expected)
    assert rest.startswith("00:00.320 --> 00:01.900\n") and "01:01:01.250 --> 01:02:05.500\n" in rest


def test_tsv() -> None:
    rows = list(csv.DictReader(io.StringIO(WRITERS["tsv"](TRANSCRIPT)), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert list(rows[0]) == ["start", "end", "text"]
    near([(int(r["start"]) / 1000, int(r["end"]) / 1000, r["text"]) for r in rows], [s.text for s in SEGMENTS])


@pytest.mark.parametrize(
    ("name", "text"), [("txt", ""), ("srt", ""), ("vtt", "WEBVTT\n\n"), ("tsv", "start\tend\ttext\n")]
)
def test_silence(name: str, text: str) -> None:
    assert WRITERS[name](SILENCE) == text


def test_files_are_named_by_the_stem_and_the_format(tmp_path: Path) -> None:
    (path,) = write_transcript(TRANSCRIPT, tmp_path / "below" / "v1.2 talk", "srt")
    assert path == tmp_path / "below" / "v1.2 talk.srt"
    assert path.read_bytes().decode("utf-8") == WRITERS["srt"](TRANSCRIPT)


def test_all_is_each(tmp_path: Path) -> None:
    write_transcript(TRANSCRIPT, tmp_path / "talk", "all")
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"talk.{f}" for f in ("json", "srt", "tsv", "txt", "vtt")]


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no output format 'docx'; there are txt, json"):
        write_transcript(TRANSCRIPT, tmp_path / "talk", "docx")


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "talk.txt").write_text("before")
    unwritable = Transcript("\ud800", (Segment(0, 1, "\ud800"),), 1.0)
    with pytest.raises(UnicodeEncodeError):
        write_transcript(unwritable, tmp_path / "talk", "txt")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("talk.txt", "before")]
