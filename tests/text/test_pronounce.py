"""How English words are said, by gruut's own dictionary and guesses."""

from __future__ import annotations

import re
import sys

import pytest

from asr.distribution import install_command
from asr.errors import MissingExtraError, VocabularyError
from asr.text.pronounce import pronounce


@pytest.fixture
def gruut() -> None:
    """Skip where it is not installed."""
    pytest.importorskip("gruut")


def said(*words: str) -> dict[str, list[str]]:
    """Pronunciations, a string each."""
    return {word: ["".join(phones) for phones in several] for word, several in pronounce(words)}


@pytest.mark.usefixtures("gruut")
def test_a_word_is_looked_up_in_any_case_and_has_no_stress() -> None:
    assert said("TABLE", "table", "Table") == dict.fromkeys(["TABLE", "table", "Table"], ["teɪbəl"])


@pytest.mark.usefixtures("gruut")
def test_several_ways_to_say_a_word_come_the_usual_first_and_each_once() -> None:
    found = said("READ", "RECORD", "A")
    assert found["READ"] == ["ɹid", "ɹɛd"]
    assert found["A"] == ["ə", "eɪ"]
    assert len(found["RECORD"]) == len(set(found["RECORD"])) > 1


@pytest.mark.usefixtures("gruut")
def test_a_phone_may_be_of_two_letters() -> None:
    assert next(pronounce(["CHOICE"]))[1][0] == ("t͡ʃ", "ɔɪ", "s")


@pytest.mark.usefixtures("gruut")
def test_a_word_that_is_in_no_dictionary_is_said_as_it_is_spelled() -> None:
    assert said("BLORFIN") == {"BLORFIN": ["blɔɹfɪn"]}


@pytest.mark.usefixtures("gruut")
@pytest.mark.parametrize(("word", "bare"), [("LOVERS'", "LOVERS"), ("'TABLE", "TABLE"), ("'BLORFIN'", "BLORFIN")])
def test_an_apostrophe_at_the_edge_is_no_sound(word: str, bare: str) -> None:
    assert said(word)[word] == said(bare)[bare]


@pytest.mark.usefixtures("gruut")
def test_an_apostrophe_within_a_word_tells_it_from_another() -> None:
    found = said("WE'LL", "WELL")
    assert found["WE'LL"][0] != found["WELL"][0] == "wɛl"


@pytest.mark.usefixtures("gruut")
def test_what_suggests_no_sound_is_left_out_and_the_rest_comes_in_order() -> None:
    assert [word for word, _ in pronounce(["TWO", "17", "'", "ONE"])] == ["TWO", "ONE"]


@pytest.mark.usefixtures("gruut")
def test_a_language_that_is_not_installed_is_named_with_its_package() -> None:
    with pytest.raises(VocabularyError, match="no words of 'xx' are here; pip install gruut_lang_xx"):
        list(pronounce(["A"], "xx"))


def test_without_gruut_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("gruut", "gruut.g2p"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=re.escape(f"gruut; {install_command('lexicon')}")):
        list(pronounce(["A"]))
