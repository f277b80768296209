"""Which sentences are on both sides, how many of the test's, and whether anybody may say them twice."""

from asr.data import Utterance
from asr.leaks import shared_sentences


def say(*texts, seconds=1.0):
    return [Utterance(f"u{i}", "u.wav", seconds, text, "anna") for i, text in enumerate(texts)]


def test_sentences_are_compared_as_they_are_scored():
    found = shared_sentences(say("Go home!", "Stop"), say("go  home", "No"))
    assert [(s.text, s.in_train, s.in_test) for s in found.sentences] == [("go home", 1, 1)]


def test_sentences_of_any_script_and_their_digits_are_compared():
    found = shared_sentences(say("Привет, мир!", "room 101"), say("привет мир", "room 999"))
    assert [s.text for s in found.sentences] == ["привет мир"]


def test_utterances_are_counted_and_short_ones_told_from_long_ones():
    long = "this is said by nobody twice"
    found = shared_sentences(say("yes", "yes", long), say("yes", "yes", "no", long, ""))
    assert [(s.words, s.short, s.in_train, s.in_test) for s in found.sentences] == [(6, False, 1, 1), (1, True, 2, 2)]
    assert (found.utterances, found.shared, found.shared_long) == (4, 3, 1)


def test_a_sentence_of_five_words_is_not_short_and_of_four_is():
    found = shared_sentences(say("a b c d", "a b c d e"), say("a b c d", "a b c d e"))
    assert [s.short for s in found.sentences] == [False, True]


def test_utterances_without_words_share_nothing():
    assert shared_sentences(say("", "..."), say("", "?")).sentences == ()


def test_what_lasts_as_long_is_suspicious_unless_it_is_short():
    train = say("yes", "this is said by nobody twice", seconds=1.0)
    assert [
        len(shared_sentences(train, say("yes", "this is said by nobody twice", seconds=s)).suspicious)
        for s in (1.009, 1.011)
    ] == [1, 0]
