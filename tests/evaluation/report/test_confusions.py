"""Confusions counted by hand, and against what the evaluation counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.evaluation import evaluate
from asr.evaluation.report.confusions import SPACE, character_confusions, confusion_matrix, word_confusions
from asr.evaluation.text_files import TextReference

TEXTS = st.lists(st.sampled_from(["A", "BA", "CAB"]), max_size=5).map(" ".join)


def scores(pairs):
    references = [TextReference(f"u{i}", reference, f"u{i}") for i, (reference, _) in enumerate(pairs)]
    return evaluate(references, [hypothesis for _, hypothesis in pairs], "upper_letters").normalised


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4))
def test_each_kind_sums_to_what_the_evaluation_counts(pairs):
    scored = scores(pairs)
    for found, errors in [
        (word_confusions(scored.utterances), scored.words.errors),
        (character_confusions(scored.utterances), scored.characters.errors),
    ]:
        totals = [sum(n for *_, n in kind) for kind in (found.substitutions, found.deletions, found.insertions)]
        assert totals == [errors.substitutions, errors.deletions, errors.insertions]


def test_the_most_frequent_come_first_then_the_alphabet():
    found = word_confusions(scores([("B B A C", "X X Y"), ("A C", "Y C OH")]).utterances)
    assert found.substitutions == (("A", "Y", 2), ("B", "X", 2))
    assert (found.deletions, found.insertions) == ((("C", "", 1),), (("", "OH", 1),))


def test_a_lost_space_is_seen():
    assert character_confusions(scores([("GO ON", "GOON")]).utterances).deletions == ((SPACE, "", 1),)


@pytest.mark.parametrize(("size", "symbols", "shown"), [(9, ("A", "B", "C", "D", ""), 5), (2, ("B", "D", ""), 3)])
def test_the_matrix_keeps_those_with_most_errors(size, symbols, shown):
    """Of A→B, B→D, B→D, C deleted, D inserted: A has 1, B 3, C 1, D 3."""
    found = character_confusions(scores([("A", "B"), ("B", "D"), ("B", "D"), ("C", ""), ("", "D")]).utterances)
    matrix = confusion_matrix(found, size)
    assert (matrix.symbols, matrix.shown, matrix.errors) == (symbols, shown, 5)
    at = {symbol: i for i, symbol in enumerate(matrix.symbols)}
    assert matrix.counts[at["B"]][at["D"]] == 2
    assert matrix.counts[at[""]][at["D"]] == 1


def test_without_errors_there_is_no_matrix_to_draw():
    assert confusion_matrix(character_confusions(scores([("A", "A")]).utterances)).errors == 0
