"""The trie of the words against sets of prefixes."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.lm import train_ngram
from asr.lm.spelling import Spelling

WORDS = st.sets(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6), min_size=1, max_size=30)


def walk(spelling, word):
    node = np.array([0])
    for character in word:
        node = spelling.spell(node, np.array([ord(character)]))
    return int(node[0])


@settings(max_examples=60, deadline=None)
@given(WORDS, st.text(max_size=4))
def test_a_node_is_a_prefix_of_a_word(words, other):
    ordered = sorted(words)
    spelling = Spelling.of_words(ordered)
    assert list(spelling.words()) == ordered
    prefixes = {word[:end] for word in words for end in range(1, len(word) + 1)}
    nodes = {prefix: walk(spelling, prefix) for prefix in prefixes}
    assert sorted(nodes.values()) == list(range(1, len(prefixes) + 1))
    for prefix, node in nodes.items():
        assert spelling.word_at(np.array([node]))[0] == (ordered.index(prefix) if prefix in words else -1)
    assert (walk(spelling, other) != -1) == (other == "" or other in prefixes)
    assert spelling.find([*ordered, other]).tolist()[-1] == (ordered.index(other) if other in words else -1)
    assert spelling.find(ordered).tolist() == list(range(len(ordered)))


def test_a_model_tells_which_letters_go_on():
    model = train_ngram(["AN ANT", "TO"], 1)
    letters = np.array([ord(c) for c in "ANTO "])
    first = model.spell(np.full(5, model.ROOT), letters)
    assert (first >= 0).tolist() == [True, False, True, False, False]
    assert model.word_at(first).tolist() == [-1] * 5
    a, t = first[0], first[2]
    second = model.spell(np.array([a, a, t, t, -1]), np.array([ord(c) for c in "NTOAN"]))
    assert model.word_at(second).tolist() == [*model.word_ids(["AN"]), -1, *model.word_ids(["TO"]), -1, -1]
    assert (second >= 0).tolist() == [True, False, True, False, False]


def test_sentence_marks_are_no_words():
    model = train_ngram(["YES"], 2)
    assert model.word_ids(["<s>", "</s>", "<unk>", "", "YES"]).tolist() == [0, 0, 0, 0, 1]
    assert len(model) == 2
