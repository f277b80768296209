"""English of A to Z: which apostrophes are letters of a word, and which are quotation marks."""

from __future__ import annotations

import re
import tarfile
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.lm.text import split_prose
from asr.text import normalise, normalise_lines

ENGLISH = st.text(st.sampled_from("TISEMBOYN' ,\n"))
"""Short alphabets make words with dropped beginnings, plurals and apostrophes in any order."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, world!", "HELLO WORLD"),
        ("  two\t\nlines ", "TWO LINES"),
        ("well-known — yes", "WELL KNOWN YES"),
        ("café Ångström", "CAFE ANGSTROM"),
        ("straße Cæsar œuvre Łódź Øre", "STRASSE CAESAR OEUVRE LODZ ORE"),
        ("ﬁne", "FINE"),
        ("room 101", "ROOM"),
        ("", ""),
        ("…?!", ""),
        ("日本", ""),
    ],
)
def test_letters_are_a_to_z(text, expected):
    assert normalise(text, "upper_letters") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("he said 'hello there'", "HE SAID HELLO THERE"),
        ("he said ‘hello there’", "HE SAID HELLO THERE"),
        ("he said `hello there'", "HE SAID HELLO THERE"),
        ("''quoted'' ``this''", "QUOTED THIS"),
        ("'Yes,' he said, 'I will.'", "YES HE SAID I WILL"),
        ("'Yes. I will", "YES I WILL"),
        ("the 'boys' play", "THE BOYS PLAY"),
        ("the word 'goin' here", "THE WORD GOIN HERE"),
        ("a ' b", "A B"),
        ("a''b", "A B"),
        ("6' tall", "TALL"),
    ],
)
def test_quotation_marks_are_no_letters(text, expected):
    assert normalise(text, "upper_letters") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("it’s it´s it′s it‛s it`s itʼs it＇s", " ".join(["IT'S"] * 7)),
        ("'tis ’tis ʼtis ‘tis", " ".join(["'TIS"] * 4)),
        ("'TIS, GOIN', BOYS' stay", "'TIS GOIN' BOYS' STAY"),
        ("rock 'n' roll", "ROCK 'N' ROLL"),
        ("five o' the clock an' all", "FIVE O' THE CLOCK AN' ALL"),
        ("the bush' leaves", "THE BUSH' LEAVES"),
        ("rock'n'roll o'clock", "ROCK'N'ROLL O'CLOCK"),
    ],
)
def test_apostrophes_of_words_stay(text, expected):
    assert normalise(text, "upper_letters") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'The boys' toys are here,' he said.", "THE BOYS' TOYS ARE HERE HE SAID"),
        ("'the boys' toys'", "THE BOYS' TOYS"),
        ("'boys' toys are here,' he said", "BOYS' TOYS ARE HERE HE SAID"),
        ("'I saw 'em goin' home,' she said", "I SAW 'EM GOIN' HOME SHE SAID"),
        ("‘’Tis true,’ said he", "'TIS TRUE SAID HE"),
        ("'What 'tis' he asked", "WHAT 'TIS HE ASKED"),
        ("'one' boys' 'two'", "ONE BOYS' TWO"),
    ],
)
def test_within_a_quotation_words_keep_their_own_apostrophes(text, expected):
    assert normalise(text, "upper_letters") == expected


@given(st.text())
def test_nothing_but_words_of_letters_and_apostrophes(text):
    assert re.fullmatch(r"([A-Z']+( [A-Z']+)*)?", normalise(text, "upper_letters"))


@given(ENGLISH)
def test_apostrophes_that_stay_once_stay(text):
    once = normalise(text, "upper_letters")
    assert normalise(once, "upper_letters") == once


@given(ENGLISH)
def test_letters_are_those_without_any_apostrophe(text):
    kept = normalise(text, "upper_letters").replace("'", "").replace(" ", "")
    assert kept == re.sub("[^A-Z]", "", text)


@given(
    st.one_of(st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from("aZ'’` é\n-ßİŉ"))), ENGLISH)
)
def test_lines_together_are_normalised_as_lines_alone(text):
    found = normalise_lines(text, "upper_letters").split("\n")
    assert [" ".join(line.split()) for line in found] == [normalise(line, "upper_letters") for line in text.split("\n")]


def _transcripts(folder):
    for path in sorted(folder.rglob("*.trans.txt")):
        yield from (line.split(" ", 1)[1] for line in path.read_text(encoding="utf-8").splitlines())


@pytest.mark.real_data
def test_transcripts_that_are_normalised_already_stay_as_they_are(real_data):
    """LibriSpeech is written so: 2,703 sentences of dev-clean, and AN4, letter by letter."""
    sentences = [*_transcripts(real_data / "LibriSpeech" / "dev-clean")]
    for path in sorted((real_data / "an4" / "etc").glob("*.transcription")):
        lines = path.read_text(encoding="utf-8").splitlines()
        sentences += [re.sub(r"</?s>|\([^()]*\)\s*$", "", line).strip() for line in lines]
    assert len(sentences) > 3700
    assert [text for text in sentences if normalise(text, "upper_letters") != text] == []


@pytest.mark.real_data
def test_few_words_of_real_novels_begin_with_an_apostrophe_and_all_of_those_do(real_data):
    """The first six novels with single quotation marks: every quotation began a word of its own before."""
    words: Counter[str] = Counter()
    novels = 0
    with tarfile.open(real_data / "text" / "books.tar.xz") as archive:
        for member in archive:
            file = archive.extractfile(member)
            text = file.read().decode("utf-8-sig") if file else ""
            if text.count("‘") > 500:
                words.update(normalise_lines(split_prose(text), "upper_letters").split())
                novels += 1
            if novels == 6:
                break
    beginning = {word for word in words if word.startswith("'")}
    assert {"'TIS", "'EM"} <= beginning
    assert not {"'I", "'THE", "'AND", "'YOU", "'WHAT"} & beginning
    assert sum(words[word] for word in beginning) < words.total() / 1000
