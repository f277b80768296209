"""Better is said only where both tests allow it; everything counted is in the result and on the page."""

import dataclasses
import io
import json

import pytest
from rich.console import Console

from asr.errors import AudioEmptyError, EvaluationError
from asr.evaluation import ErrorRate, compare, compare_evaluations, evaluate
from asr.evaluation.comparison import tally
from asr.evaluation.comparison_console import print_comparison, verdict
from asr.evaluation.text_files import TextReference

TEXT = "THE CAT SAT ON THE MAT"
MANY = [TextReference(f"u{i}", TEXT, f"s{i % 8}") for i in range(64)]
RIGHT = {r.id: TEXT for r in MANY}
"""64 utterances of eight speakers, all read right."""


def wrong_in(ids, text="THE CAT SAT ON THE HAT"):
    return RIGHT | {f"u{i}": text for i in ids}


def shown(comparison):
    stream = io.StringIO()
    print_comparison(comparison, ("one.jsonl", "[other].jsonl"), Console(file=stream, width=110))
    return stream.getvalue()


def test_one_that_errs_less_with_every_speaker_is_better():
    errs_often, errs_seldom = wrong_in(range(40)), wrong_in([1, 2])
    found = compare(MANY, errs_seldom, errs_often)
    assert found.better == "A"
    assert compare(MANY, errs_often, errs_seldom).better == "B"
    assert verdict(found) == "A is better than B: it makes fewer word errors."
    assert found.difference.rate == pytest.approx((2 - 40) / (64 * 6))


def test_one_that_errs_less_with_one_speaker_only_is_not():
    """Sixteen segments of seventeen speak for A, but all of one voice: the next voice may be another matter."""
    found = compare(MANY, wrong_in([1]), wrong_in(range(0, 64, 8), "A A A A A A"))
    assert found.matched_pairs.p < 0.05
    assert not found.difference.excludes_zero
    assert found.better is None
    assert verdict(found) == "No difference can be claimed: the interval of the difference contains 0."


def test_where_the_segments_say_nothing_nobody_is_better():
    found = compare(MANY, wrong_in([1]), wrong_in([2]))
    assert found.better is None
    assert "p = 1, and the interval of the difference contains 0" in verdict(found)


def test_an_interval_alone_is_not_enough():
    found = compare(MANY, wrong_in([1, 2]), wrong_in(range(40)))
    unsure = dataclasses.replace(found, matched_pairs=dataclasses.replace(found.matched_pairs, p=0.05))
    assert unsure.better is None
    assert "the matched-pair test has p = 0.05." in verdict(unsure)


def test_one_utterance_shows_no_difference():
    found = compare(MANY[:1], {"u0": ""}, {"u0": TEXT})
    assert (found.better, found.difference) == (None, None)
    assert "there is nothing to resample" in shown(found)


def test_rates_are_those_of_evaluate():
    texts = wrong_in([1, 2, 3])
    assert compare(MANY, texts, RIGHT, "verbatim", seed=3).a == evaluate(MANY, texts, "verbatim", seed=3)


def test_wins_are_counted_by_utterance_and_by_speaker():
    found = compare(MANY, wrong_in([0, 8, 1]), wrong_in([1, 2, 10]))
    assert dataclasses.asdict(tally(found.utterances)) == {"wins": 2, "losses": 2, "ties": 60}
    assert dataclasses.asdict(tally(found.speakers)) == {"wins": 1, "losses": 1, "ties": 6}
    text = shown(found)
    assert "Of 64 utterances, A makes fewer errors in 2, B in 2, both as many in 60" in text
    assert "Of 8 speakers, A makes fewer errors in 1, B in 1, both as many in 6" in text


def test_where_nobody_is_known_to_speak_utterances_are_drawn_and_no_speakers_shown():
    alone = [TextReference(r.id, r.text, r.id) for r in MANY]
    found = compare(alone, wrong_in([1]), RIGHT)
    assert (found.difference.interval.over, found.speakers) == ("utterances", [])
    assert "speaker " not in shown(found)


def test_a_failed_recording_counts_as_deletions_and_is_named():
    found = compare(MANY, RIGHT | {"u3": AudioEmptyError("u3.wav: 0 bytes")}, RIGHT)
    assert found.a.normalised.words.errors == ErrorRate(0, 6, 0, 64 * 6)
    assert found.matched_pairs.segments == 1
    assert "A: 1 failed; each of their words counts as deleted:\n  u3: error[audio-empty]: u3.wav: 0 bytes" in shown(
        found
    )


def test_ids_that_only_one_of_them_has_are_refused():
    short = {k: v for k, v in RIGHT.items() if k != "u5"}
    with pytest.raises(EvaluationError, match="1 ids have no hypothesis: u5"):
        compare(MANY, RIGHT, short)
    with pytest.raises(EvaluationError, match="1 ids have a hypothesis but no reference: zz"):
        compare(MANY, RIGHT | {"zz": ""}, RIGHT)


def test_evaluations_of_other_references_are_refused():
    whole = evaluate(MANY, RIGHT)
    with pytest.raises(EvaluationError, match="64 utterances of A and 1 of B"):
        compare_evaluations(whole, evaluate(MANY[:1], [TEXT]))
    changed = [TextReference("u0", "OTHER", "s0"), *MANY[1:]]
    with pytest.raises(
        EvaluationError, match="1 utterances of A have another id, speaker or reference in B, such as u0"
    ):
        compare_evaluations(whole, evaluate(changed, RIGHT))


def test_people_see_both_rates_the_difference_and_both_tests():
    lines = shown(compare(MANY, wrong_in([1, 2]), wrong_in(range(40)))).splitlines()
    assert lines[:3] == ["64 utterances, normaliser letters_and_digits", "A  one.jsonl", "B  [other].jsonl"]
    rates = {line.split()[0]: line.split() for line in lines[4:6]}
    assert (rates["A"][1], rates["B"][1]) == ("0.52", "10.42")
    assert any(line.startswith("A - B  -9.90  -") for line in lines)
    assert any(line.startswith("Matched pairs (MAPSSWE): p < 0.0001; 40 segments") for line in lines)
    assert any(line.startswith("Paired bootstrap over speakers: p ") for line in lines)


def test_of_many_speakers_and_failures_some_are_shown():
    many = [TextReference(f"u{i}", TEXT, f"s{i % 25}") for i in range(50)]
    text = shown(compare(many, {r.id: AudioEmptyError("empty") for r in many}, {r.id: TEXT for r in many}))
    assert "… and 45 more" in text
    assert "… and 5 more" in text


def test_json_names_everything():
    result = json.loads(json.dumps(compare(MANY, wrong_in([1]), RIGHT, seed=4).to_json(), allow_nan=False))
    assert (result["utterances"], result["better"], result["normaliser"]) == (64, None, "letters_and_digits")
    assert result["difference"]["interval"]["seed"] == 4
    assert result["matched_pairs"]["segments"] == 1
    assert result["by_utterance"] == {"wins": 0, "losses": 1, "ties": 63}
    assert result["by_speaker"]["losses"] == 1
    assert [row["speaker"] for row in result["by_speaker"]["speakers"]] == [f"s{i}" for i in range(8)]
    assert result["a"]["wer"]["substitutions"] == 1
