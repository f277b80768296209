"""Groups of utterances sum to the whole, and stand where their lengths are."""

import pytest

from asr.errors import AudioEmptyError
from asr.evaluation import ErrorRate, evaluate
from asr.evaluation.report import Report, System, worst_first
from asr.evaluation.report.groups import by_length, by_speaker
from asr.evaluation.text_files import TextReference

ROWS = [("a", "A B C", "A B", "ann"), ("b", "A", "A", "ann"), ("c", "A B", "X Y Z", "ben"), ("d", "", "OH", "ben")]


def report(rows=ROWS, durations=None, other=None):
    references = [TextReference(name, text, speaker) for name, text, _, speaker in rows]
    own = System("own", evaluate(references, [hypothesis for *_, hypothesis, _ in rows]))
    others = () if other is None else (System("other", evaluate(references, other)),)
    return Report("title", {}, own, others, durations or {})


def test_speakers_are_those_of_the_evaluation():
    made = report()
    assert [(g.name, g.utterances, g.words, g.characters) for g in by_speaker(made)] == [
        (s.speaker, s.utterances, s.words, s.characters) for s in made.system.evaluation.by_speaker()
    ]


def test_others_are_scored_on_the_same_utterances():
    found = {group.name: group.others for group in by_speaker(report(other=["A B C", "", "A B", ""]))}
    assert found == {"ann": (ErrorRate(deletions=1, reference_length=4),), "ben": (ErrorRate(reference_length=2),)}


def test_speakers_of_one_utterance_each_are_not_listed():
    assert by_speaker(report([("a", "A", "A", "a"), ("b", "B", "B", "b")])) == []


def test_two_seconds_begin_a_group():
    groups = by_length(report(durations={"a": 1.99, "b": 2.0, "c": 3.99, "d": 60.0}))
    assert [(group.name, group.utterances) for group in groups] == [
        ("0 to 2 s", 1),
        ("2 to 4 s", 2),
        ("30 s or more", 1),
    ]


def test_without_all_durations_words_are_counted():
    groups = by_length(report(durations={"a": 1.0}))
    assert [(group.name, group.utterances) for group in groups] == [("0 to 2 words", 3), ("3 to 5 words", 1)]


@pytest.mark.parametrize("durations", [{}, {"a": 1, "b": 2, "c": 3, "d": 4}])
def test_groups_of_lengths_sum_to_the_corpus(durations):
    made = report(durations=durations)
    assert sum((g.words for g in by_length(made)), ErrorRate()) == made.system.evaluation.normalised.words.errors


def test_the_worst_come_first_failed_ones_too():
    references = [TextReference(name, "A B", "s") for name in "abcd"]
    found = evaluate(references, ["A B", AudioEmptyError("0 bytes"), "A X", "X Y Z"])
    assert worst_first(found) == [3, 1, 2, 0]
