"""Cues cut from words: what stands on a line, how many lines stand together, and when."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import ConfigError
from asr.inference import Segment, Transcript, Word
from asr.inference.writers.cues import Cue, cues
from asr.inference.writers.options import BROADCAST, SubtitleOptions


def spoken(*segments: str, pause: float = 0.5, word: float = 0.4) -> Transcript:
    """Each word lasts ``word`` seconds, with none between them; ``pause`` seconds between segments."""
    at, made = 1.0, []
    for text in segments:
        words = tuple(Word(w, at + i * word, at + (i + 1) * word, 0.9) for i, w in enumerate(text.split()))
        made.append(Segment(words[0].start, words[-1].end, text, words))
        at = words[-1].end + pause
    return Transcript(" ".join(segments), tuple(made), at)


def lines(shown: list[Cue]) -> list[list[str]]:
    return [[" ".join(w.text for w in line) for line in cue.lines] for cue in shown]


def test_without_options_a_cue_is_a_segment_and_its_text_needs_no_words() -> None:
    transcript = Transcript(
        "", (Segment(0.5, 2.0, "ONE TWO"), Segment(2.0, 2.5, " \n "), Segment(3.0, 4.0, "THREE")), 5.0
    )
    shown = cues(transcript, SubtitleOptions())
    assert lines(shown) == [["ONE TWO"], ["THREE"]]
    assert [(c.start, c.end) for c in shown] == [(500, 2000), (3000, 4000)]


@pytest.mark.parametrize(("width", "expected"), [(9, [["AAAA BBBB", "CC"]]), (8, [["AAAA", "BBBB CC"]])])
def test_a_line_holds_what_fits(width: int, expected: list[list[str]]) -> None:
    assert lines(cues(spoken("AAAA BBBB CC"), SubtitleOptions(max_line_width=width))) == expected


def test_a_word_longer_than_the_line_stands_alone() -> None:
    assert lines(cues(spoken("A LONGEST B"), SubtitleOptions(max_line_width=3))) == [["A", "LONGEST", "B"]]


def test_a_cue_holds_so_many_lines_and_lasts_as_its_words() -> None:
    shown = cues(spoken("AA BB CC DD EE"), SubtitleOptions(max_line_width=2, max_line_count=2))
    assert lines(shown) == [["AA", "BB"], ["CC", "DD"], ["EE"]]
    assert [(c.start, c.end) for c in shown] == [(1000, 1800), (1800, 2600), (2600, 3000)]


def test_with_a_width_alone_a_cue_is_a_segment_and_with_a_count_too_segments_flow_together() -> None:
    transcript = spoken("AA BB", "CC")
    assert lines(cues(transcript, SubtitleOptions(max_line_width=20))) == [["AA BB"], ["CC"]]
    assert lines(cues(transcript, SubtitleOptions(max_line_width=20, max_line_count=1))) == [["AA BB CC"]]


@pytest.mark.parametrize(("pause", "expected"), [(2.99, [["AA BB CC"]]), (3.01, [["AA BB"], ["CC"]])])
def test_a_pause_of_more_than_three_seconds_begins_a_cue(pause: float, expected: list[list[str]]) -> None:
    shown = cues(spoken("AA BB", "CC", pause=pause), SubtitleOptions(max_line_width=20, max_line_count=2))
    assert lines(shown) == expected


def test_broadcasters_cut_between_one_and_seven_seconds() -> None:
    """Words of 0.4 s: 17 of these are 6.8 s."""
    transcript = spoken(" ".join(["AB"] * 20), "C", "D", pause=1.2)
    shown = cues(transcript, BROADCAST)
    assert [len(list(cue.words)) for cue in shown] == [17, 5]
    assert [(c.start, c.end) for c in shown] == [(1000, 7800), (7800, 12200)]
    (alone,) = cues(replace(spoken("C"), duration=9.0), BROADCAST)
    assert (alone.start, alone.end) == (1000, 2000)
    apart = cues(spoken("A", "B", pause=1.6), BROADCAST)
    assert [(c.start, c.end) for c in apart] == [(1000, 2000), (3000, 4000)]


def test_words_of_a_segment_without_share_its_time_by_characters() -> None:
    """Twelve characters in 1.2 s; AAAA is said in the first four tenths, CC in the last two."""
    untimed = Transcript("", (Segment(2.0, 3.2, "AAAA BBBB CC"),), 4.0)
    shown = cues(untimed, SubtitleOptions(max_line_width=4, max_line_count=1))
    assert [(c.start, c.end) for c in shown] == [(2000, 2400), (2500, 2900), (3000, 3200)]


def test_highlighting_shows_the_pause_between_words_unmarked() -> None:
    words = (Word("A", 1.0, 1.2, 1.0), Word("B", 1.5, 2.0, 1.0), Word("A", 2.0, 2.3, 1.0))
    options = SubtitleOptions(word_timestamps=True, highlight_words=True)
    shown = cues(Transcript("A B A", (Segment(1.0, 2.3, "A B A", words),), 3.0), options)
    assert lines(shown) == [["A B A"]] * 4
    assert [(c.start, c.end, c.marked) for c in shown] == [
        (1000, 1200, 0),
        (1200, 1500, None),
        (1500, 2000, 1),
        (2000, 2300, 2),
    ]


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([(0.0, 2.0), (1.0, 3.0)], [(0, 1000), (1000, 3000)]),  # the earlier gives way
        ([(1.0, 1.0), (1.0, 1.0), (1.0, 2.0)], [(1000, 1001), (1001, 1002), (1002, 2000)]),
        ([(-0.5, -0.2), (0.0, 0.3)], [(0, 1), (1, 300)]),
        ([(2.0, 1.0)], [(2000, 2001)]),
        ([(0.9996, 1.0004)], [(1000, 1001)]),  # both round to one second
    ],
)
def test_times_are_put_right(spans: list[tuple[float, float]], expected: list[tuple[int, int]]) -> None:
    transcript = Transcript("", tuple(Segment(start, end, "A") for start, end in spans), 9.0)
    assert [(c.start, c.end) for c in cues(transcript, SubtitleOptions())] == expected


speech = st.lists(st.lists(st.text("ABC", min_size=1, max_size=9), min_size=1, max_size=8).map(" ".join), max_size=4)


@given(speech, st.integers(1, 20), st.integers(1, 3), st.sampled_from([0.2, 3.5]))
def test_lines_and_cues_are_within_bounds_and_full(said: list[str], width: int, count: int, pause: float) -> None:
    transcript = spoken(*said, pause=pause)
    shown = cues(transcript, SubtitleOptions(max_line_width=width, max_line_count=count))
    words = [word for segment in transcript.segments for word in segment.words]
    assert [word for cue in shown for word in cue.words] == words
    for cue, block in zip(shown, lines(shown), strict=True):
        assert len(block) <= count
        assert all(len(line) <= width or " " not in line for line in block)
        assert all(len(f"{a} {b.split()[0]}") > width for a, b in pairwise(block))
        inside = list(cue.words)
        assert (cue.start, cue.end) == pytest.approx((1000 * inside[0].start, 1000 * inside[-1].end), abs=1)
        assert all(b.start - a.end < 3 for a, b in pairwise(inside))


@given(speech, st.sampled_from([0.2, 1.4, 3.5]), st.sampled_from([0.05, 0.4, 2.0, 8.0]))
def test_as_broadcasters_cut_no_word_is_lost_and_no_cue_too_long(said: list[str], pause: float, word: float) -> None:
    transcript = spoken(*said, pause=pause, word=word)
    shown = cues(transcript, BROADCAST)
    assert [w for cue in shown for w in cue.words] == [w for segment in transcript.segments for w in segment.words]
    for cue, block in zip(shown, lines(shown), strict=True):
        assert cue.end - cue.start <= 7000 and len(block) <= 2 and all(len(line) <= 42 for line in block)
    ends = [cue.start for cue in shown[1:]] + [round(1000 * transcript.duration)]
    for cue, latest in zip(shown, ends, strict=False):
        assert cue.end <= latest and (cue.end - cue.start >= 1000 or latest - cue.start < 1000)


@given(speech, st.one_of(st.none(), st.integers(1, 20)))
def test_highlighting_marks_each_word_once_while_it_is_said(said: list[str], width: int | None) -> None:
    transcript = spoken(*said)
    still = SubtitleOptions(max_line_width=width, word_timestamps=True)
    shown = cues(transcript, replace(still, highlight_words=True))
    marked = [(list(cue.words)[cue.marked], cue) for cue in shown if cue.marked is not None]
    assert [word for word, _ in marked] == [word for segment in transcript.segments for word in segment.words]
    for word, cue in marked:
        assert (cue.start, cue.end) == pytest.approx((1000 * word.start, 1000 * word.end), abs=1)
    assert {cue.lines for cue in shown} == {cue.lines for cue in cues(transcript, still)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_line_width": 0}, "max_line_width must be at least 1, got 0"),
        ({"max_line_width": 10, "max_line_count": 0}, "max_line_count must be at least 1, got 0"),
        ({"max_line_count": 2}, "max_line_count needs max_line_width"),
        ({"highlight_words": True}, "highlight_words needs word_timestamps"),
    ],
)
def test_options_that_do_not_go_together(options: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SubtitleOptions(**options)
