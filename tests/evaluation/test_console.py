"""What people read: per cent, the normaliser's name, speakers, failures, and the worst aligned."""

import io

from rich.console import Console

from asr.errors import AudioEmptyError
from asr.evaluation import evaluate
from asr.evaluation.console import print_evaluation
from asr.evaluation.text_files import TextReference


def shown(references, hypotheses, normaliser="upper_letters", worst=5):
    stream = io.StringIO()
    print_evaluation(evaluate(references, hypotheses, normaliser), Console(file=stream, width=110), worst)
    return stream.getvalue()


def corpus(*rows):
    return [TextReference(*row) for row in rows]


TWO_SPEAKERS = corpus(("a1", "Yes it is", "anna"), ("a2", "No", "anna"), ("b1", "Go [home]", "bert"))
HYPOTHESES = ["YES IT IS", "NO NO", "GO"]


def rows(text):
    return [line.split() for line in text.splitlines()]


def test_rates_are_per_cent_beside_their_counts():
    lines = rows(shown(TWO_SPEAKERS, HYPOTHESES))
    wer = next(line for line in lines if line[:2] == ["WER", "upper_letters"])
    assert (wer[2], wer[-4:]) == ("33.33", ["0", "1", "1", "6"])
    assert any(line[:2] == ["WER", "verbatim"] for line in lines)
    assert any(line[:2] == ["CER", "upper_letters"] for line in lines)


def test_verbatim_is_shown_once():
    assert sum(line[:1] == ["WER"] for line in rows(shown(TWO_SPEAKERS, HYPOTHESES, "verbatim"))) == 1


def test_speakers_are_listed_worst_first():
    lines = rows(shown(TWO_SPEAKERS, HYPOTHESES))
    names = [line[0] for line in lines if line and line[0] in ("anna", "bert")]
    assert names == ["bert", "anna"]


def test_it_is_said_what_was_drawn_for_the_intervals():
    assert "Student's t over 2 speakers, too few to resample." in shown(TWO_SPEAKERS, HYPOTHESES)
    one = corpus(("a", "Yes", "anna"), ("b", "No", "anna"))
    assert "over 2 utterances, too few to resample. Speakers are not known" in shown(one, ["", "NO"])
    many = corpus(*((f"u{i}", "A B", f"s{i % 6}") for i in range(12)))
    assert "5000 resamples of 6 speakers, seed 0.\n" in shown(many, ["A B", "A"] * 6)
    assert "No interval" in shown(one[:1], [""])


def test_worst_utterances_are_aligned():
    text = shown(TWO_SPEAKERS, HYPOTHESES)
    assert "b1  errors: 1, words: 2\nREF  GO HOME\nHYP  GO ****\n        D\n" in text
    assert "a1  errors" not in text
    assert "REF" not in shown(TWO_SPEAKERS, HYPOTHESES, worst=0)


def test_brackets_in_texts_are_shown_as_they_are():
    assert "REF  Go [home]\n" in shown(TWO_SPEAKERS, HYPOTHESES, "verbatim")
    bracketed = corpus(("a", "A", "[anna]"), ("b", "B", "[anna]"), ("c", "C", "[bert]"))
    assert "\n[anna] " in shown(bracketed, ["A", "B", "C"])


def test_failures_are_listed_with_their_codes():
    text = shown(TWO_SPEAKERS, ["", AudioEmptyError("a2.wav: 0 bytes"), "GO HOME"])
    assert "1 failed; each of their words counts as deleted:" in text
    assert "a2: error[audio-empty]: a2.wav: 0 bytes" in text


def test_of_many_failures_and_speakers_twenty_are_shown():
    many = corpus(*((f"u{i}", "A", f"s{i % 25}") for i in range(50)))
    text = shown(many, [AudioEmptyError("empty")] * 50)
    assert "… and 30 more" in text
    assert "25 speakers, the 20 worst" in text


def test_without_a_terminal_no_escape_codes_come():
    assert "\x1b" not in shown(TWO_SPEAKERS, HYPOTHESES)


def test_digits_that_are_not_scored_are_said():
    text = shown(corpus(("a", "Room 101", "a"), ("b", "No", "b")), ["ROOM 7", "NO"])
    assert "Not scored: upper_letters leaves out of the references digits: 3 (1 0) in 1 text: a.\n" in text
    assert "Not scored: upper_letters leaves out of the hypotheses digits: 1 (7) in 1 text: a.\n" in text
    assert "Not scored" not in shown(corpus(("a", "Room 101", "a")), ["ROOM 7"], "letters_and_digits")


def test_no_rate_over_no_words_is_shown_as_a_number():
    lines = rows(shown(corpus(("a", "", "anna"), ("b", "Yes", "bert"), ("c", "", "anna")), ["", "YES", ""]))
    assert next(line for line in lines if line[:1] == ["anna"])[2:4] == ["no", "words"]
    whole = rows(shown(corpus(("a", "", "a"), ("b", "", "b")), ["", "OH"]))
    assert all(line[2:4] == ["no", "words"] for line in whole if line[:1] in (["WER"], ["CER"]))


def test_of_a_script_without_spaces_the_characters_are_to_be_read():
    chinese = shown(corpus(("a", "她也认为泰雅族的织女们并非只是编织的工匠", "a")), ["她也"], "letters")
    assert "read the CER, not the WER" in chinese
    finnish = "lentokonesuihkuturbiinimoottori on kone"
    assert "read the CER" not in shown(corpus(("a", finnish, "a")), [finnish], "letters")
