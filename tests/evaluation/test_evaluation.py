"""One call scores words and characters, normalised and verbatim, the corpus, its speakers, its failures."""

import json

import pytest

from asr.data import Utterance
from asr.errors import AudioEmptyError, ConfigError, EvaluationError
from asr.evaluation import ErrorRate, error_rate, evaluate


def utterance(name, text, speaker="anna"):
    return Utterance(id=name, audio_filepath=f"{name}.wav", duration=1.0, text=text, speaker=speaker)


CORPUS = [
    utterance("a1", "Yes, it is.", "anna"),
    utterance("a2", "No", "anna"),
    utterance("b1", "Go home now", "bert"),
    utterance("b2", "Stop", "bert"),
]
HYPOTHESES = {"a1": "YES IT IS", "a2": "NO NO", "b1": "GO ROME", "b2": "STOP"}


def test_normalised_and_verbatim_are_told_apart():
    result = evaluate(CORPUS, HYPOTHESES)
    assert (result.normalised.normaliser, result.verbatim.normaliser) == ("letters_and_digits", "verbatim")
    assert result.normalised.words.errors == ErrorRate(1, 1, 1, 8)
    assert result.verbatim.words.errors == error_rate([u.text for u in CORPUS], list(HYPOTHESES.values()))
    assert result.verbatim.words.errors.rate > result.normalised.words.errors.rate


def test_characters_are_scored_beside_words():
    result = evaluate(CORPUS, HYPOTHESES)
    references = ["yes it is", "no", "go home now", "stop"]
    hypotheses = [text.lower() for text in HYPOTHESES.values()]
    assert result.normalised.characters.errors == error_rate(references, hypotheses, "character")


def test_whisper_normaliser_joins_spellings():
    result = evaluate([utterance("a", "Mr. Brown's colour")], {"a": "mister brown is color"}, "whisper")
    assert result.normalised.words.errors == ErrorRate(reference_length=4)


def test_a_list_is_taken_in_order():
    assert evaluate(CORPUS, list(HYPOTHESES.values())) == evaluate(CORPUS, HYPOTHESES)


def test_the_order_of_the_manifest_does_not_change_the_counts():
    backwards = evaluate(CORPUS[::-1], HYPOTHESES)
    assert backwards.normalised.words.errors == evaluate(CORPUS, HYPOTHESES).normalised.words.errors


def test_a_failed_recording_counts_as_deletions_and_is_listed():
    failed = HYPOTHESES | {"b1": AudioEmptyError("b1.wav: 0 bytes")}
    result = evaluate(CORPUS, failed)
    assert result.normalised.words.errors == ErrorRate(0, 3, 1, 8)
    assert [(f.id, f.code, f.message) for f in result.failures] == [("b1", "audio-empty", "b1.wav: 0 bytes")]
    assert "b1" not in [u.id for u in result.worst(10)]


def test_what_is_scored_is_the_whole_manifest_whatever_failed():
    failed = {
        name: AudioEmptyError("empty") if name in ("a1", "b1", "b2") else text for name, text in HYPOTHESES.items()
    }
    result = evaluate(CORPUS, failed)
    for scores in (result.normalised, result.verbatim):
        assert [u.id for u in scores.utterances] == [u.id for u in CORPUS]
        assert scores.words.errors.reference_length == sum(len(u.text.split()) for u in CORPUS)
    assert result.to_json()["utterances"] == len(CORPUS)
    assert sum(score.utterances for score in result.by_speaker()) == len(CORPUS)
    assert result.normalised.words.errors.deletions == 3 + 3 + 1


def test_speakers_are_listed_with_their_own_errors_the_worst_first():
    anna, bert = sorted(evaluate(CORPUS, HYPOTHESES).by_speaker(), key=lambda score: score.speaker)
    assert (anna.utterances, anna.words) == (2, ErrorRate(insertions=1, reference_length=4))
    assert (bert.utterances, bert.words) == (2, ErrorRate(1, 1, 0, 4))
    assert [s.speaker for s in evaluate(CORPUS, HYPOTHESES).by_speaker()] == ["bert", "anna"]


def test_worst_are_those_with_most_errors_and_none_without():
    result = evaluate(CORPUS, HYPOTHESES)
    assert [u.id for u in result.worst(10)] == ["b1", "a2"]
    assert [u.id for u in result.worst(1)] == ["b1"]


@pytest.mark.parametrize(
    ("speakers", "over", "drawn"),
    [
        (["anna", "anna", "bert", "bert"], "speakers", 2),
        (["anna", "anna", "anna", "anna"], "utterances", 4),
        (["a1", "a2", "b1", "b2"], "utterances", 4),
    ],
)
def test_intervals_are_over_speakers_where_there_are_any_to_draw(speakers, over, drawn):
    corpus = [utterance(u.id, u.text, s) for u, s in zip(CORPUS, speakers, strict=True)]
    interval = evaluate(corpus, HYPOTHESES).normalised.words.interval
    assert (interval.over, interval.groups) == (over, drawn)
    assert interval.low <= 3 / 8 <= interval.high


def test_where_each_utterance_has_its_own_speaker_no_speakers_are_listed():
    assert evaluate([utterance(u.id, u.text, u.id) for u in CORPUS], HYPOTHESES).by_speaker() == []


def test_one_utterance_has_no_interval():
    assert evaluate(CORPUS[:1], ["YES"]).normalised.words.interval is None


def test_json_names_everything():
    result = json.loads(json.dumps(evaluate(CORPUS, HYPOTHESES, seed=3).to_json(worst=1), allow_nan=False))
    assert result["normaliser"] == "letters_and_digits"
    assert result["wer"]["rate"] == 3 / 8
    assert result["lost"] == {"references": [], "hypotheses": []}
    assert result["wer"]["interval"]["seed"] == 3
    assert result["verbatim"]["normaliser"] == "verbatim"
    assert [s["speaker"] for s in result["by_speaker"]] == ["bert", "anna"]
    assert [(u["id"], u["reference"], u["hypothesis"]) for u in result["worst"]] == [("b1", "go home now", "go rome")]


@pytest.mark.parametrize("text", ["room 101", "комната 101", "غرفة ١٠١", "कमरा 101"])
def test_unless_another_normaliser_is_chosen_digits_and_any_script_are_scored(text):
    words = evaluate([utterance("a", text)], [text.replace("101", "999").replace("١٠١", "٩٩٩")]).normalised.words
    assert words.errors == ErrorRate(substitutions=1, reference_length=2)


def test_what_the_normaliser_loses_is_listed_for_either_side():
    corpus = [utterance("a", "room 101"), utterance("b", "да")]
    lost = evaluate(corpus, ["ROOM", "7 %"], "upper_letters").lost
    assert [(loss.kind, loss.count, loss.ids) for loss in lost.references] == [
        ("digits", 3, ("a",)),
        ("Cyrillic letters", 2, ("b",)),
    ]
    assert [(loss.kind, loss.count, loss.ids) for loss in lost.hypotheses] == [
        ("digits", 1, ("b",)),
        ("symbols", 1, ("b",)),
    ]


def test_a_normaliser_that_leaves_no_word_of_the_references_is_refused():
    with pytest.raises(
        EvaluationError, match=r"upper_letters leaves no word .* Cyrillic letters: 9 .* letters_and_digits"
    ):
        evaluate([utterance("a", "Привет, мир")], ["пока"], "upper_letters")


def test_references_of_silence_have_no_rate_and_their_insertions_are_counted():
    words = evaluate([utterance("a", ""), utterance("b", "...")], ["OH", ""]).normalised.words
    assert (words.errors, words.interval) == (ErrorRate(insertions=1), None)
    assert words.to_json()["rate"] is None


def test_missing_and_left_over_hypotheses_are_named():
    with pytest.raises(EvaluationError, match="2 ids have no hypothesis: a2, b2"):
        evaluate(CORPUS, {"a1": "", "b1": ""})
    with pytest.raises(EvaluationError, match="1 ids have a hypothesis but no reference: c1"):
        evaluate(CORPUS, HYPOTHESES | {"c1": ""})


def test_of_many_ids_twenty_are_named():
    with pytest.raises(EvaluationError, match=r"u18, u19 … and 980 more$"):
        evaluate([utterance(f"u{i}", "") for i in range(1000)], {})


def test_a_list_of_another_length_is_refused():
    with pytest.raises(EvaluationError, match="4 references and 3 hypotheses"):
        evaluate(CORPUS, ["", "", ""])


def test_ids_that_occur_twice_are_refused():
    with pytest.raises(EvaluationError, match="1 ids occur twice among the references: a1"):
        evaluate([CORPUS[0], *CORPUS], HYPOTHESES)


def test_neither_text_nor_error_is_refused():
    with pytest.raises(EvaluationError, match="neither a text nor an error: a2"):
        evaluate(CORPUS, HYPOTHESES | {"a2": None})


def test_no_references_are_refused():
    with pytest.raises(EvaluationError, match="no references"):
        evaluate([], {})


def test_an_unknown_normaliser_is_refused():
    with pytest.raises(ConfigError, match="no text normaliser 'lower'"):
        evaluate(CORPUS, HYPOTHESES, "lower")
