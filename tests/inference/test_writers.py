"""Each format as a program that never saw the writer reads it, written here from the format's own description."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import ConfigError
from asr.inference import Alternative, Segment, Transcript, Word
from asr.inference.writers import FORMATS, SubtitleOptions, render_transcript, write_transcript

SEGMENTS = (
    Segment(0.32, 1.9, "HELLO THERE", (Word("HELLO", 0.32, 0.8, 0.97), Word("THERE", 0.87, 1.9, 0.5)), 0.735),
    Segment(59.9996, 61.0004, "ONE --> TWO & <THREE>"),
    Segment(3661.25, 3725.5, "NAÏVE CAFÉ", n_best=(Alternative("NAÏVE CAFÉ", 0.75), Alternative("NAÏVE COFFEE", 0.25))),
)
TRANSCRIPT = Transcript(" ".join(s.text for s in SEGMENTS), SEGMENTS, 3726.0)
SILENCE = Transcript("", (), 2.0)


# Readers


@dataclass
class ReadCue:
    """A cue as a player holds it: seconds, lines without tags, what was underlined, times within the text."""

    start: float
    end: float
    lines: list[str]
    underlined: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)


def seconds(clock: str, decimal: str) -> float:
    """``HH:MM:SS.mmm``, two digits or more of hours, which WebVTT lets fall."""
    hours = "" if decimal == "," else "?"
    match = re.fullmatch(rf"(?:(\d\d+):){hours}([0-5]\d):([0-5]\d){re.escape(decimal)}(\d\d\d)", clock)
    assert match, clock
    hour, minute, second, thousandth = (int(part or 0) for part in match.groups())
    return (3_600_000 * hour + 60_000 * minute + 1000 * second + thousandth) / 1000


def read_timing(line: str, decimal: str) -> tuple[float, float]:
    start, end = line.split(" --> ")
    return seconds(start, decimal), seconds(end, decimal)


def read_srt(text: str) -> list[ReadCue]:
    """Blocks ended by an empty line: a number counting up from 1, the timing, the text."""
    assert text == "" or text.endswith("\n\n")
    cues = []
    for number, block in enumerate(text.split("\n\n")[:-1], start=1):
        index, timing, *lines = re.split("\r\n|\r|\n", block)
        assert index == str(number) and lines and all(lines) and not any("-->" in line for line in lines)
        underlined = re.findall("<u>(.+?)</u>", "\n".join(lines))
        cues.append(ReadCue(*read_timing(timing, ","), [re.sub("</?u>", "", line) for line in lines], underlined))
    return cues


VTT_TEXT = re.compile(
    r"(?P<plain>[^&<]+)|&(?P<escape>amp|lt|gt|lrm|rlm|nbsp);|<(?P<open>u)>|</(?P<close>u)>|<(?P<time>[\d:.]+)>"
)
ESCAPED = {"amp": "&", "lt": "<", "gt": ">", "lrm": "\u200e", "rlm": "\u200f", "nbsp": "\xa0"}


def read_vtt(text: str) -> list[ReadCue]:
    """W3C WebVTT 1, 4.1 and 4.2: header, then blocks; no line of a cue's text is empty or has an arrow."""
    head, *blocks = re.split("(?:\r\n|\r|\n){2,}", text)
    assert head == "WEBVTT" and blocks.pop() == ""
    cues: list[ReadCue] = []
    for block in blocks:
        timing, *lines = re.split("\r\n|\r|\n", block)
        assert lines and not any("-->" in line for line in lines)
        cue = read_vtt_text(ReadCue(*read_timing(timing, "."), []), "\n".join(lines))
        assert all(a < b for a, b in pairwise([cue.start, *cue.times, cue.end]))
        cues.append(cue)
    return cues


def read_vtt_text(cue: ReadCue, text: str) -> ReadCue:
    """4.2.2: text, escapes, tags; nothing else begins with & or <."""
    at, plain, opened = 0, "", None
    while at < len(text):
        token = VTT_TEXT.match(text, at)
        assert token, text[at:]
        at = token.end()
        plain += token["plain"] or ESCAPED.get(token["escape"], "")
        if token["open"]:
            assert opened is None
            opened = len(plain)
        if token["close"]:
            assert opened is not None
            cue.underlined.append(plain[opened:])
            opened = None
        if token["time"]:
            cue.times.append(seconds(token["time"], "."))
    assert opened is None
    cue.lines = plain.split("\n")
    return cue


READERS = {"srt": read_srt, "vtt": read_vtt}


def read_ctm(text: str) -> Iterator[tuple[str, str, float, float, str, float]]:
    """NIST sclite's ctm: ``<F> <C> <BT> <DUR> word [<CONF>]``, white space between, ``;;`` begins a comment line."""
    assert text == "" or text.endswith("\n")
    for line in text.splitlines():
        if not line.startswith(";;"):
            recording, channel, start, duration, word, confidence = line.split()
            yield recording, channel, float(start), float(duration), word, float(confidence)


# Transcripts

ODD = ["-->", "--->", "<!-- -->", "&", "&amp;", "<", "</u>", "<u>", "NOTE", "WEBVTT", "1", ";;", "\n\n", "a\r\rb", "\t"]
ODD += ["\u2028", "\x85", "\x1c", "é", "日本語", "👩‍🚀", '"', "\\", "", " ", "a" * 100]
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.lists(st.one_of(st.sampled_from(ODD), st.text(CHARACTERS, max_size=8)), max_size=8).map(" ".join)
probabilities = st.floats(0, 1)


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    """Segments in order, some overlapping, some empty, some with words, which may last no time; hours in."""
    at = draw(st.sampled_from([-0.02, 0.0, 12.3456, 3599.9999, 360_000.0]))
    segments = []
    for _ in range(draw(st.integers(0, 4))):
        words, begin = [], at
        for text in draw(st.lists(texts, max_size=6)):
            start = at + draw(st.sampled_from([-0.004, 0.0, 0.0004, 0.3, 4.0]))
            at = start + draw(st.sampled_from([0.0, 0.0006, 0.25]))
            words.append(Word(text, start, at, draw(probabilities)))
        n_best = tuple(Alternative(t, 0.5) for t in draw(st.lists(texts, max_size=2)))
        text = " ".join(w.text for w in words)
        timed = tuple(words) if draw(st.booleans()) else ()
        segments.append(Segment(begin, at, text, timed, draw(probabilities), n_best))
    return Transcript(" ".join(s.text for s in segments), tuple(segments), max(at, 0.0))


widths = st.one_of(st.none(), st.integers(1, 50))


@st.composite
def any_options(draw: st.DrawFn) -> SubtitleOptions:
    width = draw(widths)
    count = draw(st.one_of(st.none(), st.integers(1, 3))) if width else None
    timed = draw(st.booleans())
    return SubtitleOptions(width, count, timed, timed and draw(st.booleans()))


def said(transcript: Transcript) -> list[str]:
    """Everything, cut at white space."""
    return [token for segment in transcript.segments for token in segment.text.split()]


# Text and tables


def test_txt() -> None:
    assert render_transcript(TRANSCRIPT, "txt").splitlines() == [s.text for s in SEGMENTS]


@given(transcripts())
def test_txt_has_a_line_a_segment_whatever_is_said(transcript: Transcript) -> None:
    assert [line.split() for line in render_transcript(transcript, "txt").splitlines()] == [
        s.text.split() for s in transcript.segments
    ]


def test_tsv() -> None:
    text = render_transcript(TRANSCRIPT, "tsv")
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))
    assert [(int(r["start"]), int(r["end"]), r["text"]) for r in rows] == [
        (320, 1900, "HELLO THERE"),
        (60000, 61000, "ONE --> TWO & <THREE>"),
        (3661250, 3725500, "NAÏVE CAFÉ"),
    ]


@given(transcripts())
def test_tsv_has_three_fields_whatever_is_said(transcript: Transcript) -> None:
    header, *rows = (line.split("\t") for line in render_transcript(transcript, "tsv").splitlines())
    assert header == ["start", "end", "text"]
    for (start, end, text), segment in zip(rows, transcript.segments, strict=True):
        assert 0 <= int(start) <= int(end) and text.split() == segment.text.split()
        assert int(start) / 1000 == pytest.approx(max(0, segment.start), abs=0.00051)
        assert int(end) / 1000 == pytest.approx(max(0, segment.start, segment.end), abs=0.00051)


# JSON


def test_json() -> None:
    assert json.loads(render_transcript(TRANSCRIPT, "json")) == {
        "text": TRANSCRIPT.text,
        "segments": [
            {
                "id": 0,
                "start": 0.32,
                "end": 1.9,
                "text": "HELLO THERE",
                "confidence": 0.735,
                "words": [
                    {"word": "HELLO", "start": 0.32, "end": 0.8, "confidence": 0.97},
                    {"word": "THERE", "start": 0.87, "end": 1.9, "confidence": 0.5},
                ],
            },
            {"id": 1, "start": 60.0, "end": 61.0, "text": "ONE --> TWO & <THREE>", "confidence": 1.0},
            {
                "id": 2,
                "start": 3661.25,
                "end": 3725.5,
                "text": "NAÏVE CAFÉ",
                "confidence": 1.0,
                "n_best": [{"text": "NAÏVE CAFÉ", "probability": 0.75}, {"text": "NAÏVE COFFEE", "probability": 0.25}],
            },
        ],
        "duration": 3726.0,
    }


@given(transcripts())
def test_json_is_one_line_and_jsonl_its_segments_a_line_each(transcript: Transcript) -> None:
    whole, lines = render_transcript(transcript, "json"), render_transcript(transcript, "jsonl").splitlines()
    assert whole.splitlines() == [whole[:-1]]
    read = json.loads(whole)
    assert read["segments"] == [json.loads(line) for line in lines]
    assert [s["text"] for s in read["segments"]] == [s.text for s in transcript.segments]
    for line, segment in zip(read["segments"], transcript.segments, strict=True):
        assert 0 <= line["start"] <= line["end"]
        words = [(w["word"], w["confidence"]) for w in line.get("words", [])]
        assert words == [(w.text, round(w.confidence, 4)) for w in segment.words]
        assert [a["text"] for a in line.get("n_best", [])] == [a.text for a in segment.n_best]


# Time-marked words


def test_ctm() -> None:
    text = render_transcript(Transcript("HELLO THERE", SEGMENTS[:1], 2.0), "ctm", "my talk")
    assert text == "my_talk 1 0.320 0.480 HELLO 0.9700\nmy_talk 1 0.870 1.030 THERE 0.5000\n"


def test_ctm_shares_out_the_time_of_a_segment_without_words_and_says_so() -> None:
    """Ten characters a second, the spaces too."""
    text = render_transcript(
        Transcript("", (*SEGMENTS[:1], Segment(2.0, 3.0, "FOUR LETTE", (), 0.25)), 3.0), "ctm", "t"
    )
    comment, _, _, *shared = text.splitlines()
    assert comment == ";; t: 1 of 2 segments without word times, shared out by characters"
    assert shared == ["t 1 2.000 0.400 FOUR 0.2500", "t 1 2.500 0.500 LETTE 0.2500"]


@given(transcripts(), st.sampled_from(["talk", "my talk", ";; talk", "日本 1"]))
def test_ctm_whatever_is_said(transcript: Transcript, name: str) -> None:
    rows = list(read_ctm(render_transcript(transcript, "ctm", name)))
    assert {(recording, channel) for recording, channel, *_ in rows} <= {
        (re.sub(r"\s", "_", name).replace(";;", "__"), "1")
    }
    assert [start for _, _, start, *_ in rows] == sorted(start for _, _, start, *_ in rows)
    assert all(start >= 0 and duration >= 0 and 0 <= confidence <= 1 for _, _, start, duration, _, confidence in rows)
    texts = [w.text for s in transcript.segments for w in s.words or [Word(t, 0, 0, 1) for t in s.text.split()]]
    assert sorted(word for *_, word, _ in rows) == sorted("_".join(t.split()) for t in texts if t.strip())


# Subtitles


def test_srt() -> None:
    text = render_transcript(TRANSCRIPT, "srt")
    assert text.startswith("1\n00:00:00,320 --> 00:00:01,900\nHELLO THERE\n\n2\n00:01:00,000 --> 00:01:01,000\n")
    assert [(c.start, c.end, c.lines) for c in read_srt(text)] == [
        (0.32, 1.9, ["HELLO THERE"]),
        (60.0, 61.0, ["ONE -> TWO & <THREE>"]),
        (3661.25, 3725.5, ["NAÏVE CAFÉ"]),
    ]


def test_vtt() -> None:
    text = render_transcript(TRANSCRIPT, "vtt")
    assert text.startswith("WEBVTT\n\n00:00.320 --> 00:01.900\nHELLO THERE\n\n01:00.000 --> 01:01.000\n")
    assert "\nONE --&gt; TWO &amp; &lt;THREE&gt;\n" in text and "\n01:01:01.250 --> 01:02:05.500\n" in text
    assert [(c.start, c.end, c.lines) for c in read_vtt(text)] == [
        (0.32, 1.9, ["HELLO THERE"]),
        (60.0, 61.0, ["ONE --> TWO & <THREE>"]),
        (3661.25, 3725.5, ["NAÏVE CAFÉ"]),
    ]


def test_hours_may_be_many() -> None:
    late = Transcript("A", (Segment(360_000.0, 4e6, "A"),), 4e6)
    assert "\n100:00:00,000 --> 1111:06:40,000\n" in render_transcript(late, "srt")
    assert "\n100:00:00.000 --> 1111:06:40.000\n" in render_transcript(late, "vtt")


def test_words_have_their_time_in_vtt_and_only_where_asked_for() -> None:
    hello = Transcript("HELLO THERE", SEGMENTS[:1], 2.0)
    timed = SubtitleOptions(word_timestamps=True)
    assert render_transcript(hello, "vtt") == "WEBVTT\n\n00:00.320 --> 00:01.900\nHELLO THERE\n\n"
    assert (
        render_transcript(hello, "vtt", options=timed)
        == "WEBVTT\n\n00:00.320 --> 00:01.900\nHELLO <00:00.870>THERE\n\n"
    )
    assert render_transcript(hello, "srt", options=timed) == render_transcript(hello, "srt")


@pytest.mark.parametrize("name", READERS)
def test_a_highlighted_word_is_underlined_while_it_is_said(name: str) -> None:
    options = SubtitleOptions(word_timestamps=True, highlight_words=True)
    hello = Transcript("HELLO THERE", SEGMENTS[:1], 2.0)
    cues = READERS[name](render_transcript(hello, name, options=options))
    assert cues == [
        ReadCue(0.32, 0.8, ["HELLO THERE"], ["HELLO"]),
        ReadCue(0.8, 0.87, ["HELLO THERE"]),
        ReadCue(0.87, 1.9, ["HELLO THERE"], ["THERE"]),
    ]


@given(transcripts(), any_options())
def test_subtitles_say_all_that_is_said(transcript: Transcript, options: SubtitleOptions) -> None:
    """Underlined words one after the other too; SubRip, without escapes, loses long arrows and what looks like tags."""
    vtt = read_vtt(render_transcript(transcript, "vtt", options=options))
    srt = read_srt(render_transcript(transcript, "srt", options=options))
    assert [(cue.start, cue.end) for cue in srt] == [(cue.start, cue.end) for cue in vtt]
    if options.highlight_words:
        assert [token for cue in vtt for u in cue.underlined for token in u.split()] == said(transcript)
        return
    assert [token for cue in vtt for line in cue.lines for token in line.split()] == said(transcript)
    seen = " ".join(re.sub("</?u>", "", re.sub("-{2,}>", "->", token)) for token in said(transcript))
    assert [token for cue in srt for line in cue.lines for token in line.split()] == seen.split()


@given(transcripts(), any_options())
def test_no_two_cues_at_once(transcript: Transcript, options: SubtitleOptions) -> None:
    for name, read in READERS.items():
        times = [t for c in read(render_transcript(transcript, name, options=options)) for t in (c.start, c.end)]
        assert times == sorted(times)
        assert all(start < end for start, end in zip(times[::2], times[1::2], strict=True))


# Of all


@pytest.mark.parametrize(
    ("name", "text"),
    [("txt", ""), ("jsonl", ""), ("srt", ""), ("ctm", ""), ("vtt", "WEBVTT\n\n"), ("tsv", "start\tend\ttext\n")],
)
def test_silence(name: str, text: str) -> None:
    assert render_transcript(SILENCE, name) == text


def test_files_are_named_by_the_stem_and_the_format(tmp_path: Path) -> None:
    (path,) = write_transcript(TRANSCRIPT, tmp_path / "below" / "v1.2 talk", "srt")
    assert path == tmp_path / "below" / "v1.2 talk.srt"
    assert path.read_bytes().decode("utf-8") == render_transcript(TRANSCRIPT, "srt")


def test_a_ctm_file_calls_the_recording_as_itself(tmp_path: Path) -> None:
    (path,) = write_transcript(TRANSCRIPT, tmp_path / "below" / "talk", "ctm")
    assert {row[0] for row in read_ctm(path.read_text(encoding="utf-8"))} == {"talk"}


def test_several_formats_and_all_are_each(tmp_path: Path) -> None:
    write_transcript(TRANSCRIPT, tmp_path / "two", "srt,json,srt", SubtitleOptions(max_line_width=5))
    write_transcript(TRANSCRIPT, tmp_path / "all", "all")
    assert sorted(p.name for p in tmp_path.glob("two.*")) == ["two.json", "two.srt"]
    assert sorted(p.name for p in tmp_path.glob("all.*")) == sorted(f"all.{f}" for f in FORMATS)
    assert "\nHELLO\nTHERE\n" in (tmp_path / "two.srt").read_text()


@pytest.mark.parametrize("name", ["docx", "txt,docx", ""])
def test_an_unknown_format_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=f"no output format '{name[-4:]}'; there are txt, json"):
        write_transcript(TRANSCRIPT, tmp_path / "talk", name)


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "talk.txt").write_text("before")
    unwritable = Transcript("\ud800", (Segment(0, 1, "\ud800"),), 1.0)
    with pytest.raises(UnicodeEncodeError):
        write_transcript(unwritable, tmp_path / "talk", "txt")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("talk.txt", "before")]
