"""ARPA files: as others write them, there and back, and what is wrong with a bad one."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from asr.errors import LanguageModelError
from asr.lm import read_arpa, read_ngram, train_ngram, write_arpa

LN10 = np.log(10)
SMALL = """made by hand, with \\1-grams: in what comes before

\\data\\
ngram 1=5
ngram 2=3
ngram 3=1

\\1-grams:
-1.0\t<unk>
-99\t<s>\t-0.5
-0.7\t</s>
-0.3\tNO\t-0.2
-0.6\tYES\t-0.1

\\2-grams:
-0.4\tYES NO\t-0.05
-0.2\t<s> YES\t-0.3
-0.1\tNO </s>

\\3-grams:
-0.15\t<s> YES NO

\\end\\
"""


@pytest.fixture
def small(tmp_path):
    (tmp_path / "small.arpa").write_text(SMALL)
    return tmp_path / "small.arpa"


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_it(small):
    other = small.with_name("other.arpa")
    start = SMALL[SMALL.index("\\data") :]
    other.write_bytes(("\ufeff" + start.replace("\n", "\r\n")).encode())
    assert read_arpa(other).sentence_log_prob(["YES", "NO"]) == read_arpa(small).sentence_log_prob(["YES", "NO"])


@pytest.mark.parametrize(
    ("sentence", "log10"),
    [
        ("YES NO", -0.2 - 0.15 + (-0.05 - 0.1)),  # </s> after YES NO backs off to NO </s>
        ("NO", (-0.5 - 0.3) - 0.1),
        ("YES YES", -0.2 + (-0.3 - 0.1 - 0.6) + (-0.1 - 0.7)),
        ("MAYBE", (-0.5 - 1.0) - 0.7),
        ("", -0.5 - 0.7),
    ],
)
def test_probabilities_and_back_off_weights_are_added_as_the_format_says(small, sentence, log10):
    assert read_arpa(small).sentence_log_prob(sentence.split()) == pytest.approx(log10 * LN10, rel=1e-6)


def test_an_ngram_may_be_listed_whose_ending_is_not(small):
    """Pruned files have such: after A YES NO the state is NO's, found through YES, which nothing follows."""
    text = SMALL.replace("ngram 2=3", "ngram 2=2").replace("-0.4\tYES NO\t-0.05\n", "")
    small.write_text(text)
    assert read_arpa(small).sentence_log_prob(["YES", "NO"]) == pytest.approx((-0.2 - 0.15 - 0.1) * LN10)


@pytest.mark.parametrize("suffix", [".arpa", ".arpa.gz"])
def test_written_and_read_a_model_scores_the_same(sentences, tmp_path, suffix):
    model = train_ngram([" ".join(sentence) for sentence in sentences], 4, cutoffs=(0, 0, 1))
    write_arpa(tmp_path / f"m{suffix}", model)
    again = read_arpa(tmp_path / f"m{suffix}")
    assert (again.counts, again.start) == (model.counts, model.start)
    words = np.arange(len(model), dtype=np.int32)
    states = np.array([0, model.start])
    for _ in range(3):
        pairs = states.repeat(len(words)), np.tile(words, len(states))
        (one, states), (other, same) = model.score(*pairs), again.score(*pairs)
        np.testing.assert_allclose(one, other, atol=1e-6)
        assert states.tolist() == same.tolist()


def test_the_suffix_decides_the_packing(sentences, tmp_path):
    write_arpa(tmp_path / "m.arpa.gz", train_ngram(["YES NO"], 2))
    with gzip.open(tmp_path / "m.arpa.gz", "rt") as file:
        assert file.readline() == "\\data\\\n"
    before = (tmp_path / "m.arpa.gz").read_bytes()
    write_arpa(tmp_path / "n.arpa.gz", train_ngram(["YES NO"], 2))
    assert (tmp_path / "n.arpa.gz").read_bytes() == before  # neither a name nor a time is in it


def test_the_form_is_told_by_content(small, tmp_path):
    read_arpa(small).save(tmp_path / "ours.arpa")
    small.rename(tmp_path / "theirs.lm")
    assert read_ngram(tmp_path / "ours.arpa").counts == read_ngram(tmp_path / "theirs.lm").counts == (5, 3, 1)
    with pytest.raises(LanguageModelError, match="none: cannot be read"):
        read_ngram(tmp_path / "none")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("\\data\\", "data", "no ARPA file"),
        ("ngram 2=3", "ngram 3=3", "where the count of order 2 is needed"),
        ("ngram 2=3", "ngram 2=4", r"among the 4 2-grams"),
        ("ngram 3=1", "ngram 3=1000000000000", "1000000000000 3-grams"),
        ("ngram 2=3", f"ngram 2={'9' * 5000}", "no ARPA file"),
        ("-0.4\tYES NO", f"-0.4\t{'YES ' * 20_000}", "a line of more than 65,536 characters"),
        ("ngram 2=3", "ngram 2=2", r"\\3-grams: is needed, got '-0.1"),
        ("-0.4\tYES NO", "x\tYES NO", r"'x\\tYES NO\\t-0.05' among the 3 2-grams"),
        ("-0.4\tYES NO", "inf\tYES NO", "a logarithm"),
        ("-0.4\tYES NO", "nan\tYES NO", "a logarithm"),
        ("-0.1\tNO </s>", "-0.1\tNO", "a logarithm, 2 words"),
        ("-0.4\tYES NO", "-0.4\tYES MAYBE", "'MAYBE' is in a 2-gram and not among"),
        ("-0.4\tYES NO", "-0.4\t<s> YES", "'<s> YES' occurs twice"),
        ("-0.3\tNO", "-0.3\tYES", "'YES' occurs twice"),
        ("-0.2\t<s> YES", "-0.2\t<s> NO", "'<s> YES NO' starts with an n-gram that is not listed"),
        ("\\end\\", "", "cut short"),
    ],
)
def test_a_bad_file_is_refused_and_the_place_named(small, old, new, reason):
    assert old in SMALL
    small.write_text(SMALL.replace(old, new, 1))
    with pytest.raises(LanguageModelError, match=reason):
        read_arpa(small)


def test_what_is_no_text_is_refused(tmp_path):
    (tmp_path / "a.arpa").write_bytes(b"\xff\xfe\\data\\")
    (tmp_path / "b.arpa.gz").write_bytes(b"not packed")
    for name in ("a.arpa", "b.arpa.gz", "none.arpa"):
        with pytest.raises(LanguageModelError, match=f"{name}: cannot be read"):
            read_arpa(tmp_path / name)


@pytest.mark.real_data
def test_a_published_file(real_data):
    """AN4's own: every word as likely as any, and <UNK> for <unk>."""
    model = read_arpa(real_data / "an4" / "etc" / "an4.ug.lm")
    assert (model.order, model.counts, len(model)) == (2, (107, 1), 105)
    assert model.sentence_log_prob(["ENTER", "ONE"]) == pytest.approx(3 * -2.0253 * LN10, rel=1e-5)
    assert model.word_ids(["FEBRUARY", "RUMPELSTILTSKIN"]).astype(bool).tolist() == [True, False]
