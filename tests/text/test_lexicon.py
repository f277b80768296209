"""A pronouncing dictionary as Kaldi and CMU write it, and the labels of the phones that occur in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from asr.errors import VocabularyError
from asr.text import BLANK, Lexicon, Phones, read_lexicon
from asr.text.lexicon import BOUNDARY


def read(text: str, folder: Path) -> dict[str, tuple[tuple[str, ...], ...]]:
    (folder / "words.lexicon").write_text(text, encoding="utf-8")
    return {word: tuple(several) for word, several in read_lexicon(folder / "words.lexicon").pronunciations.items()}


def test_a_line_is_a_word_and_its_phones(tmp_path: Path) -> None:
    assert read("NUN\tN AH1 N\nTHÉ  t  e\n", tmp_path) == {"NUN": (("N", "AH1", "N"),), "THÉ": (("t", "e"),)}


def test_kaldi_writes_a_word_once_more_for_each_way_to_say_it(tmp_path: Path) -> None:
    assert read("READ R IY D\nA AH\nREAD R EH D\n", tmp_path)["READ"] == (("R", "IY", "D"), ("R", "EH", "D"))


def test_cmudict_numbers_them_in_brackets_and_has_comments(tmp_path: Path) -> None:
    text = ";;; # CMUdict\nA  AH0\nA(2)  EY1\n\n   \nA(13)  AH1\n"
    assert read(text, tmp_path) == {"A": (("AH0",), ("EY1",), ("AH1",))}


def test_cmudict_says_of_a_word_what_it_is_after_a_hash(tmp_path: Path) -> None:
    """As on GitHub since 2014; a word may still begin with one."""
    text = "aalborg AO1 L B AO0 R G # place, danish\n#hash HH AE1 SH\n"
    assert read(text, tmp_path) == {"aalborg": (("AO1", "L", "B", "AO0", "R", "G"),), "#hash": (("HH", "AE1", "SH"),)}


def test_a_byte_order_mark_is_no_part_of_the_first_word(tmp_path: Path) -> None:
    assert read("\ufeffA  AH\n", tmp_path) == {"A": (("AH",),)}


def test_the_same_twice_is_kept_once_and_the_usual_way_stays_first(tmp_path: Path) -> None:
    assert read("A EY\nA AH\nA(2) EY\nA AH\n", tmp_path) == {"A": (("EY",), ("AH",))}


@pytest.mark.parametrize("word", ["(", "(2)", "A(B)", "A()", "A(2", "A(2)B", "F(X)(2)"])
def test_other_brackets_are_part_of_the_word(word: str, tmp_path: Path) -> None:
    assert read(f"{word} X Y\n", tmp_path) == {word: (("X", "Y"),)}


def test_a_word_without_phones_is_refused_by_file_and_line(tmp_path: Path) -> None:
    with pytest.raises(VocabularyError, match=r"words\.lexicon:3: 'NUN' has no phones"):
        read(";;; said\nA AH\nNUN\n", tmp_path)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(VocabularyError, match=r"none\.lexicon: no lexicon can be read"):
        read_lexicon(tmp_path / "none.lexicon")
    (tmp_path / "latin.lexicon").write_bytes("THÉ t e".encode("latin-1"))
    with pytest.raises(VocabularyError, match=r"latin\.lexicon: no lexicon can be read"):
        read_lexicon(tmp_path / "latin.lexicon")


def test_the_blank_and_the_end_of_a_word_stand_before_the_phones() -> None:
    phones = Phones(("b", "c"))
    assert (BLANK, BOUNDARY, len(phones)) == (0, 1, 4)
    labels = phones.encode([("c", "b"), ("b",)])
    assert (labels.tolist(), labels.dtype) == ([3, 2, 1, 2, 1], np.int32)
    assert phones.encode([]).shape == (0,)


def test_an_unknown_phone_is_named() -> None:
    with pytest.raises(VocabularyError, match="no phone 'z', only b c"):
        Phones(("b", "c")).encode([("b",), ("c", "z")])


def test_a_lexicon_has_the_phones_of_all_its_pronunciations_in_one_order() -> None:
    one = Lexicon({"A": (("x",), ("b", "a")), "B": (("c",),)})
    other = Lexicon({"B": (("c",),), "A": (("b", "a"), ("x",))})
    assert one.phones == other.phones == Phones(("a", "b", "c", "x"))


def test_words_are_said_in_the_usual_way_and_those_it_lacks_are_named_once() -> None:
    lexicon = Lexicon({"A": (("x",), ("y",)), "B": (("b",),)})
    assert lexicon.usual_pronunciations("B A A") == [("b",), ("x",), ("x",)]
    assert (lexicon.usual_pronunciations(""), lexicon.missing("")) == ([], [])
    with pytest.raises(VocabularyError, match="the lexicon lacks D C$"):
        lexicon.usual_pronunciations("D A C D")
