"""Who is on both sides."""

from asr.data import Utterance
from asr.leaks import shared_speakers


def said_by(*names):
    return [Utterance(f"u{i}", f"u{i}.wav", 1.0, "YES", name) for i, name in enumerate(names)]


def test_speakers_of_both_sides_are_counted_by_the_tests_utterances():
    found = shared_speakers(said_by("anna", "bert"), said_by("bert", "carl", "bert"))
    assert (found.speakers, found.unknown) == ({"bert": 2}, 0)


def test_an_utterance_that_names_nobody_shares_no_speaker():
    """A manifest without speakers has the id in their place; 0001.wav on both sides is not one voice."""
    found = shared_speakers(said_by("u0", "anna"), said_by("u0", "anna"))
    assert (found.speakers, found.unknown) == ({"anna": 1}, 1)
