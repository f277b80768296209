"""Runs of eight words, beside a search word by word."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.data import Utterance
from asr.leaks import text_overlap
from asr.lm import read_sentences

NINE = "one two three four five six seven eight nine"


def references(*texts):
    return [Utterance(f"u{i}", "u.wav", 1.0, text, "anna") for i, text in enumerate(texts)]


def test_a_reference_of_nine_words_has_two_runs():
    found = text_overlap(references(NINE), ["one two three four five six seven eight nein"])
    assert (found.runs, found.found, found.share, found.words, found.utterances) == (2, 1, 0.5, 9, 1)
    assert [(row.id, row.found, row.runs) for row in found.worst] == [("u0", 1, 2)]
    assert found.worst[0].example == "one two three four five six seven eight"


def test_seven_words_in_a_row_are_none():
    found = text_overlap(references("one two three four five six seven"), [NINE])
    assert (found.runs, found.share, found.utterances, found.worst) == (0, 0.0, 0, ())


def test_two_test_sets_may_use_the_same_ids():
    found = text_overlap([*references(NINE), *references("no " + NINE)], [NINE])
    assert (found.runs, found.found, found.utterances) == (5, 4, 2)
    assert [(row.id, row.found, row.runs) for row in found.worst] == [("u0", 2, 2), ("u0", 2, 3)]


def test_no_text_has_nothing():
    assert text_overlap(references(NINE), []).found == 0


WORDS = st.lists(st.sampled_from("ab"), max_size=40)


@settings(max_examples=60)
@given(st.lists(WORDS, min_size=1, max_size=4), st.lists(WORDS, max_size=6))
def test_it_is_a_search_word_by_word_across_blocks(texts, blocks):
    text = [word for block in blocks for word in block]
    inside = {tuple(text[i : i + 8]) for i in range(len(text) - 7)}
    expected = [sum(tuple(words[i : i + 8]) in inside for i in range(len(words) - 7)) for words in texts]
    found = text_overlap(references(*map(" ".join, texts)), map("\n".join, blocks))
    assert {row.id: row.found for row in found.worst} == {f"u{i}": n for i, n in enumerate(expected) if n}
    assert (found.found, found.words) == (sum(expected), len(text))


def test_hashes_that_agree_are_looked_at_word_by_word(monkeypatch):
    """All runs get one hash."""
    monkeypatch.setattr("asr.leaks.overlap._hashes", lambda runs: runs[:, 0] * 0)
    found = text_overlap(references(NINE), ["one two three four five six seven eight ten one two"])
    assert found.found == 1


def test_books_may_wrap_their_lines_anywhere(tmp_path):
    (tmp_path / "book.txt").write_text("He counted: One, two,\nthree -- four. Five six;\n\nseven, eight\nnine.")
    assert text_overlap(references(NINE), read_sentences(tmp_path / "book.txt")).share == 1


@pytest.mark.real_data
def test_the_books_hold_none_of_a_dev_set(real_data):
    """Stock phrases only: shared/data/README.md says that no book of LibriSpeech's is among them."""
    lines = [
        line.split(maxsplit=1)
        for path in sorted((real_data / "LibriSpeech" / "dev-clean" / "84").rglob("*.trans.txt"))
        for line in path.read_text().splitlines()
    ]
    test = [Utterance(name, "u.wav", 1.0, text, "84") for name, text in lines]
    blocks = (block for block, _ in zip(read_sentences(real_data / "text" / "books.tar.xz"), range(20), strict=False))
    found = text_overlap(test, blocks)
    assert found.words > 1e6
    assert found.share < 0.01
