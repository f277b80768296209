"""Letters of any script: Unicode's own categories and cases say what must come out."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.text import normalise

TEXTS = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]),
        st.sampled_from("aZ'’` é\n-ßİŉΣσςıIأ\u0301\u0307\u3099ﬁＡｶﾞำŀ你好 あ。मि\u200d\u0640\u064e\u0654"),
    )
)
ANY_SCRIPT = ["letters", "letters_and_digits", "turkish", "arabic"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("„Die Straße in Köln“, sagte ER.", "die straße in köln sagte er"),
        ("GROẞE STRASSE", "große strasse"),
        ("C’est l'été, n´est-ce pas? ‘Oui!’", "c'est l'été n'est ce pas oui"),
        ("По-прежнему — ёлка № 5", "по прежнему ёлка"),
        ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
        ("हिन्दी में क्या?", "हिन्दी में क्या"),
        ("สวัสดี น้ำ", "สวัสดี น้ำ"),
        ("حلق الطائر بعيداً، حتى!", "حلق الطائر بعيداً حتى"),
        ("شـــكرا", "شكرا"),
        ("你好，世界。", "你好世界"),
        ("ラーメン 人々", "ラーメン人々"),
        ("北京 и Москва", "北京 и москва"),
        ("안녕하세요, 세계!", "안녕하세요 세계"),
        ("می\u200cخواهم", "میخواهم"),
        ("Wasser\u00adflasche", "wasserflasche"),
        ("ﬁne ＡＢＣ ﻻ", "fine abc لا"),
        ("İstanbul", "istanbul"),
        ("e\u0301te\u0301", "été"),
        ("\u0301 a", "a"),
        ("'quoted' rock 'n' roll's", "quoted rock n roll's"),
        ("room 101 ½ €", "room"),
        ("", ""),
    ],
)
def test_letters(text, expected):
    assert normalise(text, "letters") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Iğdır'da IŞIK", "ığdır'da ışık"),
        ("İHALEYİ İstanbul", "ihaleyi istanbul"),
        ("I\u0307zmir", "izmir"),
        ("Hâlâ ÇÖĞÜŞ", "hâlâ çöğüş"),
    ],
)
def test_turkish_has_two_letters_i(text, expected):
    assert normalise(text, "turkish") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("يُؤْفَكُ عَنْهُ مَنْ أُفِكَ", "يؤفك عنه من أفك"),
        ("بعيداً عالياً", "بعيدا عاليا"),
        ("إتّفقوا على سعرٍ مُعيّن.", "إتفقوا على سعر معين"),
        ("آمن رأيت سؤال شيء ئ", "آمن رأيت سؤال شيء ئ"),
        ("هَٰذَا", "هذا"),
    ],
)
def test_arabic_has_no_vowel_signs_and_keeps_its_hamzas(text, expected):
    assert normalise(text, "arabic") == expected


def test_digits_of_any_script_are_scored_where_they_are_wanted():
    assert normalise("Room 101, ١٠١, १०१, １０１", "letters_and_digits") == "room 101 ١٠١ १०१ 101"


@pytest.mark.parametrize("name", ANY_SCRIPT)
@given(text=TEXTS)
def test_words_are_letters_marks_on_them_and_apostrophes_between_them(name, text):
    wanted = "LN" if name == "letters_and_digits" else "L"
    for word in normalise(text, name).split(" "):
        categories = ["'" if c == "'" else unicodedata.category(c)[0] for c in word]
        assert set(categories) <= {*wanted, "M", "'"}
        for before, category in zip(["'", *categories], categories, strict=False):
            assert category in wanted or before != "'"  # neither a mark nor an apostrophe stands by itself
        assert categories[-1:] != ["'"]


@pytest.mark.parametrize("name", ANY_SCRIPT)
@given(text=TEXTS)
def test_once_is_enough(name, text):
    once = normalise(text, name)
    assert normalise(once, name) == once


@pytest.mark.parametrize("name", ANY_SCRIPT)
@given(text=TEXTS)
def test_text_is_composed_and_in_lower_case(name, text):
    found = normalise(text, name)
    assert unicodedata.is_normalized("NFC", found)
    assert found == found.lower() or "i\u0307" in found.lower()


@given(st.text(st.characters(categories=["Lo"], exclude_characters="ªº"), min_size=1))
def test_letters_without_case_are_all_kept(text):
    """Whatever the script: as many letters come out as Unicode's compatible form (NFKC) has."""
    compatible = unicodedata.normalize("NFKC", text)
    kept = [c for c in normalise(text, "letters") if c not in " '"]
    assert sum(c.isalpha() for c in kept) >= sum(unicodedata.category(c) == "Lo" for c in compatible)


@given(text=TEXTS)
def test_composed_and_decomposed_text_are_the_same(text):
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert normalise(composed, "letters") == normalise(decomposed, "letters")
