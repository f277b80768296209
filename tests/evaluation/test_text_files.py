"""Text files in their three layouts: lines, id first (Kaldi), id last (trn)."""

import pytest

from asr.errors import EvaluationError
from asr.evaluation import read_text_pair


@pytest.fixture
def pair(tmp_path):
    def write(reference, hypothesis, suffix="txt"):
        paths = tmp_path / f"ref.{suffix}", tmp_path / f"hyp.{suffix}"
        for path, content in zip(paths, (reference, hypothesis), strict=True):
            path.write_bytes(content.encode())
        return paths

    return write


def found(references):
    return [(r.id, r.text, r.speaker) for r in references]


def test_lines_belong_together_by_number(pair):
    references, texts = read_text_pair(*pair("A B\nC\n", "A\nC D"))
    assert found(references) == [("line 1", "A B", "line 1"), ("line 2", "C", "line 2")]
    assert texts == {"line 1": "A", "line 2": "C D"}


def test_an_empty_line_is_an_empty_text(pair):
    references, texts = read_text_pair(*pair("A\n\nB\n", "A\nX\n\n"))
    assert [r.text for r in references] == ["A", "", "B"]
    assert list(texts.values()) == ["A", "X", ""]


def test_byte_order_mark_and_carriage_returns_are_no_text(pair):
    references, texts = read_text_pair(*pair("\ufeffA\r\nB\r\n", "A\nB\n"))
    assert [r.text for r in references] == list(texts.values())


def test_unicode_line_separators_end_no_line(pair):
    references, _ = read_text_pair(*pair("A\u2028B\x85C\n", "A\n"))
    assert len(references) == 1


def test_kaldi_lines_start_with_the_id(pair):
    references, texts = read_text_pair(*pair("u1 A B\nu2\n", "u2 C\n\nu1 A\n"), ids=True)
    assert found(references) == [("u1", "A B", "u1"), ("u2", "", "u2")]
    assert texts == {"u2": "C", "u1": "A"}


def test_trn_lines_end_with_the_id(pair):
    references, _ = read_text_pair(*pair("A (uh) B (fash_1)\n(fash_2)\n", "A (fash_1)\n(fash_2)\n", "trn"))
    assert found(references) == [("fash_1", "A (uh) B", "fash_1"), ("fash_2", "", "fash_2")]


@pytest.mark.parametrize("name", ["1089-134686-0000", "1089_7", "1089"])
def test_speakers_are_what_ids_start_with_where_that_is_said(pair, name):
    references, _ = read_text_pair(*pair(f"{name} A\n", f"{name} A\n"), ids=True, speakers=True)
    assert references[0].speaker == "1089"


def test_speakers_need_ids(pair):
    with pytest.raises(EvaluationError, match="speakers are read from ids"):
        read_text_pair(*pair("A\n", "A\n"), speakers=True)


def test_line_counts_that_differ_are_refused(pair):
    with pytest.raises(EvaluationError, match=r"ref\.txt has 2 lines, .*hyp\.txt 1"):
        read_text_pair(*pair("A\nB\n", "A\n"))


def test_files_of_two_layouts_are_refused(pair, tmp_path):
    reference, _ = pair("A (u1)\n", "A (u1)\n", "trn")
    _, hypothesis = pair("A\n", "A\n")
    with pytest.raises(EvaluationError, match="as trn, .* as lines"):
        read_text_pair(reference, hypothesis)


def test_a_trn_line_without_id_is_named(pair):
    with pytest.raises(EvaluationError, match=r"line 2: 'text \(id\)' is needed, got 'B'"):
        read_text_pair(*pair("A (u1)\nB\n", "", "trn"))


def test_an_id_that_occurs_twice_is_named(pair):
    with pytest.raises(EvaluationError, match="line 2: id 'u1' occurs twice"):
        read_text_pair(*pair("u1 A\nu1 B\n", ""), ids=True)


def test_an_empty_file_is_refused(pair):
    with pytest.raises(EvaluationError, match="no lines"):
        read_text_pair(*pair("", ""))
