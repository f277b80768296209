"""Alignments of several systems joined at the reference: each system's cells are its own alignment."""

from hypothesis import given
from hypothesis import strategies as st

from asr.evaluation.alignment import align
from asr.evaluation.report.columns import columns

TEXTS = st.lists(st.sampled_from(["A", "B", "C", "<b>"]), max_size=6).map(" ".join)


@given(TEXTS, st.lists(TEXTS, min_size=1, max_size=3))
def test_each_systems_cells_are_its_own_alignment(reference, hypotheses):
    found = columns(reference, hypotheses)
    for system, hypothesis in enumerate(hypotheses):
        cells = [column[system] for column in found]
        assert [cell for cell in cells if cell.reference or cell.hypothesis] == align(reference, hypothesis)


@given(TEXTS, st.lists(TEXTS, min_size=1, max_size=3))
def test_the_reference_is_read_once_and_the_same_for_all(reference, hypotheses):
    found = columns(reference, hypotheses)
    words = [{cell.reference for cell in column if cell.reference} for column in found]
    assert all(len(choices) <= 1 for choices in words)
    assert [word for choices in words for word in choices] == reference.split()


def test_nothing_said_and_nothing_heard_has_no_columns():
    assert columns("", ["", ""]) == []
