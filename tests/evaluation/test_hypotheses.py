"""What is written is read again, and bad lines are named."""

import pytest

from asr.errors import AudioEmptyError, EvaluationError
from asr.evaluation import read_hypotheses, write_hypotheses
from asr.evaluation.hypotheses import HypothesisWord, read_hypothesis_words

WORDS = (HypothesisWord("GO", 0.25, 0.5, 0.75), HypothesisWord("ON", 0.5, 1.0, 1.0))


def test_texts_come_back_with_any_character_in_them(tmp_path):
    texts = {"a": "YES", "b": "", "c": "één\u2028two\x85three", "d": 'quo"te'}
    write_hypotheses(tmp_path / "h.jsonl", texts)
    assert read_hypotheses(tmp_path / "h.jsonl") == texts


def test_an_error_comes_back_with_its_code_and_message(tmp_path):
    write_hypotheses(tmp_path / "h.jsonl", {"a": AudioEmptyError("a.wav: 0 bytes")})
    error = read_hypotheses(tmp_path / "h.jsonl")["a"]
    assert (error.code, str(error)) == ("audio-empty", "a.wav: 0 bytes")


def test_bad_lines_are_named_by_number(tmp_path):
    path = tmp_path / "h.jsonl"
    path.write_text('{"id": "a", "text": "A"}\n\nnot json\n[]\n{"id": "b"}\n{"id": "a", "text": "B"}\n')
    with pytest.raises(EvaluationError) as caught:
        read_hypotheses(path)
    assert [line.split(":")[0].strip() for line in str(caught.value).splitlines()[1:]] == [
        "line 3",
        "line 4",
        "line 5",
        "line 6",
    ]
    assert "'a' occurs twice" in str(caught.value)


def test_of_many_bad_lines_twenty_are_shown(tmp_path):
    path = tmp_path / "h.jsonl"
    path.write_text("x\n" * 1000)
    with pytest.raises(EvaluationError, match="1000 bad lines") as caught:
        read_hypotheses(path)
    assert str(caught.value).endswith("… and 980 more")
    assert len(str(caught.value).splitlines()) == 22


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, content):
    if content is not None:
        (tmp_path / "h.jsonl").write_bytes(content)
    with pytest.raises(EvaluationError, match=r"h\.jsonl: cannot be read"):
        read_hypotheses(tmp_path / "h.jsonl")


def test_a_place_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(EvaluationError, match="cannot be written"):
        write_hypotheses(tmp_path / "file" / "h.jsonl", {"a": "A"})


def test_words_come_back_and_the_text_is_read_as_without_them(tmp_path):
    write_hypotheses(tmp_path / "h.jsonl", {"a": "GO ON", "b": "YES", "c": ""}, {"a": WORDS, "c": ()})
    assert read_hypotheses(tmp_path / "h.jsonl") == {"a": "GO ON", "b": "YES", "c": ""}
    assert read_hypothesis_words(tmp_path / "h.jsonl") == {"a": WORDS, "c": ()}


def test_a_file_from_before_words_were_kept_has_none(tmp_path):
    (tmp_path / "h.jsonl").write_text('{"id": "a", "text": "GO ON"}\n')
    assert read_hypotheses(tmp_path / "h.jsonl") == {"a": "GO ON"}
    assert read_hypothesis_words(tmp_path / "h.jsonl") == {}


@pytest.mark.parametrize(
    "word",
    [
        '"GO"',
        '{"text": "GO"}',
        '{"text": "GO", "start": 1, "end": 0.5, "confidence": 0.5}',
        '{"text": "GO", "start": -1, "end": 0.5, "confidence": 0.5}',
        '{"text": "GO", "start": 0, "end": Infinity, "confidence": 0.5}',
        '{"text": "GO", "start": 0, "end": 1, "confidence": 1.5}',
        '{"text": "GO", "start": 0, "end": 1, "confidence": NaN}',
        '{"text": "GO", "start": 0, "end": 1, "confidence": true}',
        '{"text": "GO", "start": "0", "end": 1, "confidence": 0.5}',
    ],
)
def test_a_bad_word_makes_its_line_bad(tmp_path, word):
    (tmp_path / "h.jsonl").write_text(f'{{"id": "a", "text": "GO", "words": [{word}]}}\n')
    with pytest.raises(EvaluationError, match="line 1: a word is its text"):
        read_hypothesis_words(tmp_path / "h.jsonl")
