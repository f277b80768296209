"""TextGrids read back by a parser of Praat's long format, and held to its rules."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.inference import Segment, Transcript, Word
from asr.inference.writers.textgrid import render

_TIER = re.compile(
    r' {4}item \[(\d+)\]:\n {8}class = "IntervalTier"\n {8}name = "(\w+)"\n {8}xmin = 0\n {8}xmax = (\S+)\n'
    r" {8}intervals: size = (\d+)\n"
)
_INTERVAL = re.compile(
    r' {8}intervals \[(\d+)\]:\n {12}xmin = (\S+)\n {12}xmax = (\S+)\n {12}text = "((?:[^"]|"")*)"\n'
)


def parse(text: str) -> tuple[float, dict[str, list[tuple[float, float, str]]]]:
    """Duration, and the intervals of each tier; refuses what is not to the letter."""
    head = re.match(
        r'File type = "ooTextFile"\nObject class = "TextGrid"\n\nxmin = 0\nxmax = (\S+)\n'
        r"tiers\? <exists>\nsize = (\d+)\nitem \[\]:\n",
        text,
    )
    assert head
    tiers, at = {}, head.end()
    for number in range(1, int(head[2]) + 1):
        tier = _TIER.match(text, at)
        assert tier and int(tier[1]) == number and tier[3] == head[1]
        at, intervals = tier.end(), []
        for place in range(1, int(tier[4]) + 1):
            interval = _INTERVAL.match(text, at)
            assert interval and int(interval[1]) == place
            intervals.append((float(interval[2]), float(interval[3]), interval[4].replace('""', '"')))
            at = interval.end()
        tiers[tier[2]] = intervals
    assert at == len(text)
    return float(head[1]), tiers


def transcript(*segments: tuple[Word, ...], duration: float) -> Transcript:
    made = tuple(Segment(w[0].start, w[-1].end, " ".join(x.text for x in w), w) for w in segments)
    return Transcript(" ".join(s.text for s in made), made, duration)


def test_words_lines_and_the_silences_between() -> None:
    words = Word('"Yes,"', 0.32, 0.7, 1.0), Word("he", 0.7, 0.8, 1.0), Word("said.", 1.0, 1.5, 1.0)
    duration, tiers = parse(render(transcript(words[:2], words[2:], duration=1.9)))
    assert duration == 1.9
    assert tiers["lines"] == [
        (0, 0.32, ""),
        (0.32, 0.8, '"Yes," he'),
        (0.8, 1.0, ""),
        (1.0, 1.5, "said."),
        (1.5, 1.9, ""),
    ]
    assert tiers["words"][1:3] == [(0.32, 0.7, '"Yes,"'), (0.7, 0.8, "he")]
    assert [text for _, _, text in tiers["words"]] == ["", '"Yes,"', "he", "", "said.", ""]


def test_nothing_said_is_one_silence() -> None:
    assert parse(render(Transcript("", (), 2.0))) == (2.0, {"lines": [(0, 2.0, "")], "words": [(0, 2.0, "")]})


@pytest.mark.parametrize("duration", [0.0, 3.0])
@given(st.lists(st.floats(0, 3), max_size=10))
def test_no_interval_is_empty_or_leaves_a_gap(duration: float, edges: list[float]) -> None:
    """Words of no length, words at the very end: Praat would refuse the file."""
    edges = sorted(edges)[: len(edges) // 2 * 2]
    words = tuple(Word(f"w{i}", a, b, 1.0) for i, (a, b) in enumerate(zip(edges[::2], edges[1::2], strict=True)))
    end, tiers = parse(render(transcript(*([words] if words else []), duration=duration)))
    for intervals in tiers.values():
        assert intervals[0][0] == 0 and intervals[-1][1] == end >= duration
        assert all(a[1] == b[0] for a, b in zip(intervals, intervals[1:], strict=False))
        assert all(start < stop for start, stop, _ in intervals)
    assert [text for _, _, text in tiers["words"] if text] == [word.text for word in words]
