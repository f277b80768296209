"""Words of a hypothesis: what they spell, how they follow one another, and that they are where speech is."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from asr.decoding import Hypothesis
from asr.decoding.words import word_spans
from asr.text import Vocabulary

VOCABULARY = Vocabulary((" ", "A", "B"))


def spoken(text: str, frames: list[int], vocabulary: Vocabulary = VOCABULARY) -> Hypothesis:
    return Hypothesis(text, tuple(vocabulary.encode(text).tolist()), tuple(frames), 0.0)


def spans(text: str, frames: list[int]) -> list[tuple[str, int, int]]:
    return [(s.text, s.start_frame, s.end_frame) for s in word_spans(spoken(text, frames), VOCABULARY)]


texts = st.text("AB ", max_size=12)


@given(texts, st.integers(0, 10**6))
def test_words_are_the_texts_and_never_overlap(text: str, seed: int) -> None:
    frames = np.cumsum(np.random.default_rng(seed).integers(1, 30, len(text))).tolist()
    found = word_spans(spoken(text, frames), VOCABULARY)
    assert [s.text for s in found] == text.split()
    assert [text[s.labels] for s in found] == text.split()
    edges = [edge for s in found for edge in (s.start_frame, s.end_frame)]
    assert edges == sorted(edges)
    assert all(0 <= s.start_frame <= frames[s.labels.start] < s.end_frame for s in found)
    assert all(frames[s.labels.stop - 1] < s.end_frame for s in found)


def test_a_word_starts_at_the_space_before_it() -> None:
    assert spans("A B", [4, 20, 24])[1][1] == 20
    assert spans("A  B", [4, 18, 20, 24])[1][1] == 20


def test_the_first_word_starts_a_letter_before_its_first_spike() -> None:
    assert spans("AB", [10, 12])[0][1] == 8
    assert spans("AB", [10, 14])[0][1] == 6
    assert spans("AB", [1, 5])[0][1] == 0


def test_a_word_ends_halfway_to_the_space_after_it_but_leaves_a_pause_out() -> None:
    assert spans("AB A", [4, 6, 16, 18])[0][2] == 12
    assert spans("AB A", [4, 6, 22, 24])[0][2] == 15
    assert spans("AB A", [4, 6, 23, 25])[0][2] == 15
    assert spans("AB A", [4, 6, 99, 101])[0][2] == 15


def test_the_last_word_ends_a_letter_and_a_half_after_its_last_spike() -> None:
    assert spans("AB", [10, 12])[0][2] == 16


def test_spaces_only_and_nothing_have_no_words() -> None:
    assert spans("", []) == spans("  ", [3, 5]) == []


def test_a_vocabulary_without_a_space_makes_one_word() -> None:
    vocabulary = Vocabulary(("A", "B"))
    (span,) = word_spans(spoken("ABBA", [1, 3, 5, 7], vocabulary), vocabulary)
    assert (span.text, span.labels) == ("ABBA", slice(0, 4))
