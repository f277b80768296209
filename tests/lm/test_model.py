"""The query form and its file."""

from __future__ import annotations

import time

import numpy as np
import pytest

from asr.errors import LanguageModelError
from asr.lm import NgramModel, read_ngram, train_ngram
from asr.lm.mapped_file import MAGIC, map_arrays, seal, write_arrays


@pytest.fixture(scope="module")
def model(sentences):
    return train_ngram([" ".join(sentence) for sentence in sentences], 3)


@pytest.fixture
def saved(model, tmp_path):
    model.save(tmp_path / "m.lm")
    return tmp_path / "m.lm"


def every_query(model):
    """Pairs of a state two words after each state after one word, and of each word."""
    words = np.arange(len(model), dtype=np.int32)
    _, one = model.score(np.full(len(words), model.start), words)
    _, two = model.score(one.repeat(len(words)), np.tile(words, len(one)))
    return two.repeat(len(words)), np.tile(words, len(two))


def test_many_queries_are_answered_as_one_by_one(model):
    states, words = every_query(model)
    together = model.score(states, words)
    alone = [model.score(states[i : i + 1], words[i : i + 1]) for i in range(len(states))]
    assert together[0].tolist() == [log_prob[0] for log_prob, _ in alone]
    assert together[1].tolist() == [state[0] for _, state in alone]
    assert together[0].dtype == np.float32 and together[1].dtype == np.int64


def test_no_queries_have_no_answers(model):
    none = np.zeros(0, np.int64)
    assert [len(part) for part in model.score(none, none.astype(np.int32))] == [0, 0]
    assert len(model.score_end(none)) == len(model.spell(none, none)) == len(model.word_ids([])) == 0


def test_words_longer_ago_than_the_order_make_no_state_of_their_own(model):
    """Histories that end alike are one state, so that a decoder can join them."""
    after = []
    for words in (["THE", "A", "CAT"], ["DOG", "OLD", "A", "CAT"]):
        states = np.array([model.start])
        for word in words:
            _, states = model.score(states, model.word_ids([word]))
        after.append(int(states[0]))
    assert after[0] == after[1]


def test_a_sentence_is_its_words_and_its_end(model):
    ids, states, total = model.word_ids(["THE", "ZEBRA"]), np.array([model.start]), 0.0
    for word in ids:
        log_probs, states = model.score(states, np.array([word]))
        total += float(log_probs[0])
    total += float(model.score_end(states)[0])
    assert model.sentence_log_prob(["THE", "ZEBRA"]) == pytest.approx(total)
    assert ids[1] == 0


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_a_saved_model_scores_the_same_to_three_digits(sentences, tmp_path, order):
    model = train_ngram([" ".join(sentence) for sentence in sentences], order)
    model.save(tmp_path / "m.lm")
    opened = NgramModel.open(tmp_path / "m.lm")
    assert (opened.order, len(opened), opened.start, opened.counts) == (order, len(model), model.start, model.counts)
    states, words = every_query(model)
    assert opened.score(states, words)[1].tolist() == model.score(states, words)[1].tolist()
    for sentence in sentences[:20]:
        assert opened.sentence_log_prob(sentence) == pytest.approx(model.sentence_log_prob(sentence), rel=1e-3)
    assert opened.word_ids(["CAT", "ZEBRA"]).tolist() == model.word_ids(["CAT", "ZEBRA"]).tolist()


def test_saving_what_was_opened_changes_nothing(saved, tmp_path):
    NgramModel.open(saved).save(tmp_path / "again.lm")
    assert (tmp_path / "again.lm").read_bytes() == saved.read_bytes()


def test_probabilities_are_mapped_and_not_read(tmp_path):
    """200,000 n-grams open in milliseconds; what is mapped cannot be written to."""
    draw = np.random.default_rng(0)
    text = [" ".join(map(str, row)) for row in draw.integers(0, 5000, (10_000, 10))]
    train_ngram(text, 3).save(tmp_path / "large.lm")
    assert (tmp_path / "large.lm").stat().st_size > 1_000_000
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        opened = NgramModel.open(tmp_path / "large.lm")
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.05
    assert not any(array.flags.writeable for array in (opened._log_probs, opened._backoffs))


@pytest.mark.parametrize("kept", [0, 5, 13, 200, 1500, -1])
def test_a_file_cut_short_is_refused(saved, kept):
    saved.write_bytes(saved.read_bytes()[:kept])
    with pytest.raises(LanguageModelError, match=r"m\.lm: "):
        NgramModel.open(saved)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (MAGIC, b"RIFF-WAVE\n", "not a language model of this project"),
        (b'"version": 3', b'"version": 9', "format version 9, and this asr reads 3"),
        (b'"counts": [', b'"counts": [1', "contradict"),
        (b'"<u2"', b'"<f2"', "contradict"),
        (b'"counts"', b'"amount"', "header is damaged"),
        (b'"<u2"', b'"?!x"', "header is damaged"),
        (b'"arrays": {', b'"arrays": [', "header is damaged"),
    ],
)
def test_a_foreign_or_damaged_file_is_refused(saved, old, new, reason):
    content = saved.read_bytes()
    grown = len(new) - len(old)
    content = content.replace(old, new, 1)
    # A longer header takes one of the spaces that fill it up.
    saved.write_bytes(content.replace(b"} ", b"}", grown) if grown else content)
    seal(saved)
    with pytest.raises(LanguageModelError, match=reason):
        NgramModel.open(saved)


def test_any_byte_that_changed_is_noticed(saved):
    content = saved.read_bytes()
    for at in range(0, len(content), 97):
        saved.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        with pytest.raises(LanguageModelError):
            NgramModel.open(saved)


def test_a_file_from_before_there_were_checksums_is_read(saved):
    content, words = saved.read_bytes(), NgramModel.open(saved).words
    saved.write_bytes(content.replace(b'"version": 3', b'"version": 2'))
    assert NgramModel.open(saved).words == words


@pytest.mark.parametrize("last", [0xFFFFFFFF, 0x110000, 0xD800, 0x7F, 7])
def test_an_alphabet_beyond_what_texts_are_written_with_is_refused(saved, last):
    """The first would ask for 32 GiB."""
    about, arrays = map_arrays(saved)
    arrays["alphabet"] = np.append(arrays["alphabet"][:-1], np.uint32(last))
    write_arrays(saved, about, arrays)
    with pytest.raises(LanguageModelError, match="contradict"):
        NgramModel.open(saved)


def test_no_counts_are_a_damaged_header(saved):
    content = saved.read_bytes()
    start = content.index(b'"counts": [')
    end = content.index(b"]", start) + 1
    saved.write_bytes(content[:start] + b'"counts": []'.ljust(end - start) + content[end:])
    seal(saved)
    with pytest.raises(LanguageModelError, match="header is damaged"):
        NgramModel.open(saved)


@pytest.mark.parametrize("name", ["words", "children", "links"])
def test_what_leads_out_of_the_arrays_is_refused(sentences, tmp_path, name):
    train_ngram([" ".join(sentence) for sentence in sentences], 4).save(tmp_path / "m.lm")
    about, arrays = map_arrays(tmp_path / "m.lm")
    arrays[name] = np.full_like(arrays[name], np.iinfo(arrays[name].dtype).max)
    write_arrays(tmp_path / "m.lm", about, arrays)
    with pytest.raises(LanguageModelError, match="contradict"):
        NgramModel.open(tmp_path / "m.lm")


@pytest.mark.parametrize(("words", "bytes_of_a_word"), [(65_532, 2), (65_533, 4)])
def test_more_than_65535_words_and_marks_take_four_bytes(tmp_path, words, bytes_of_a_word):
    train_ngram([" ".join(map(str, range(words)))], 2).save(tmp_path / "m.lm")
    assert map_arrays(tmp_path / "m.lm")[1]["words"].itemsize == bytes_of_a_word
    opened = NgramModel.open(tmp_path / "m.lm")
    (after, never), _ = opened.score(opened.word_ids(["7", "7"]) + 1, opened.word_ids(["8", "9"]))
    assert after > never


def test_a_weight_too_small_for_the_file_makes_no_state(tmp_path):
    """1e-9 is 0 in half precision; the saved model has the states of the one that was read."""
    lines = ["\\data\\", "ngram 1=5", "ngram 2=1", "", "\\1-grams:", "-1 <unk>", "-1 <s>", "-1 </s>", "-1 A -1e-9"]
    lines += ["-1 B -0.5", "", "\\2-grams:", "-0.1 B A", "", "\\end\\", ""]
    (tmp_path / "m.arpa").write_text("\n".join(lines))
    model = read_ngram(tmp_path / "m.arpa")
    model.save(tmp_path / "m.lm")
    opened = NgramModel.open(tmp_path / "m.lm")
    words = model.word_ids(["A", "B"])
    for one in (model, opened):
        assert (one.score(np.zeros(2, np.int64), words)[1] != 0).tolist() == [False, True]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(LanguageModelError, match="none.lm: cannot be read: No such file"):
        NgramModel.open(tmp_path / "none.lm")
