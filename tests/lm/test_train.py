"""Trained models against a plain implementation of the formulas, and what must hold of any model."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asr.errors import LanguageModelError
from asr.lm import train_ngram


def lines(sentences):
    return [" ".join(sentence) for sentence in sentences]


def state_after(model, words):
    """The state after ``words``, which may start with <s>."""
    states = np.array([model.start if words[:1] == ("<s>",) else 0])
    for word in words[1:] if words[:1] == ("<s>",) else words:
        _, states = model.score(states, model.word_ids([word]))
    return states


def distribution(model, context, words):
    """p(each word, <unk> and </s> | context)."""
    states = state_after(model, context).repeat(len(words) + 2)
    ids = np.append(model.word_ids([*words, "<unk>"]), model.sentence_end).astype(np.int32)
    return np.exp(model.score(states, ids)[0].astype(np.float64))


def contexts(words, order):
    pool = [("<s>",), *((word,) for word in words)]
    yield ()
    for length in range(1, order):
        for parts in itertools.product(pool, *[[(word,) for word in words]] * (length - 1)):
            yield sum(parts, ())


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("cutoffs", [(), (0, 0, 1), (0, 1), (0, 1, 2, 3)])
def test_probabilities_are_those_of_the_formulas(kneser_ney, sentences, order, cutoffs):
    padded = [*cutoffs, *[cutoffs[-1] if cutoffs else 0] * order][:order]
    oracle = kneser_ney(sentences, order, padded)
    model = train_ngram(lines(sentences), order, cutoffs=cutoffs)
    words = [word for word in oracle.outcomes if word[0] != "<"]
    for context in itertools.islice(contexts(words, order), 0, None, 1 if order < 4 else 17):
        wanted = [oracle.prob(context, word) for word in oracle.outcomes]
        found = distribution(model, context, words)
        np.testing.assert_allclose(np.log(found), np.log(wanted), atol=2e-6, err_msg=str(context))
        assert found.sum() == pytest.approx(1, abs=1e-5)


def test_words_left_out_of_the_vocabulary_are_counted_as_unknown(kneser_ney, sentences):
    by_size = train_ngram(lines(sentences), 2, vocabulary_size=5)
    kept = {word for sentence in sentences for word in sentence if by_size.word_ids([word])[0]}
    assert (len(kept), len(by_size)) == (5, 6)
    oracle = kneser_ney(sentences, 2, vocabulary=kept)
    wanted = [oracle.prob(("THE",), word) for word in oracle.outcomes]
    np.testing.assert_allclose(distribution(by_size, ("THE",), sorted(kept)), wanted, rtol=2e-6)


def test_the_most_frequent_words_stay_and_of_equals_the_first():
    model = train_ngram(["B A C C", "D D"], 1, vocabulary_size=3)
    assert model.word_ids(["A", "B", "C", "D"]).astype(bool).tolist() == [True, False, True, True]
    model = train_ngram(["B A C C", "D D"], 1, min_count=2)
    assert model.word_ids(["A", "B", "C", "D"]).astype(bool).tolist() == [False, False, True, True]


def test_lines_within_a_text_are_sentences_and_empty_ones_are_none(sentences):
    one_by_one = train_ngram(lines(sentences), 3)
    whole = train_ngram(["\n\n".join(lines(sentences[:90])), "", "\n", "\n".join(lines(sentences[90:])) + "\n"], 3)
    assert whole.counts == one_by_one.counts
    text = sentences[5]
    assert whole.sentence_log_prob(text) == one_by_one.sentence_log_prob(text)


@pytest.mark.parametrize(
    ("texts", "options", "reason"),
    [
        ([], {}, "no words"),
        (["", "\n \n"], {}, "no words"),
        (["<s> YES </s>"], {}, "</s> and <s>, which are added around each line"),
        (["YES"], {"order": 0}, "order must be 1 to 9, got 0"),
        (["YES"], {"order": 10}, "got 10"),
        (["YES"], {"cutoffs": (1,)}, r"start with 0 .* got \[1\]"),
        (["YES"], {"cutoffs": (0, 2, 1)}, "not fall"),
        (["YES"], {"size": 100}, "words alone take"),
    ],
)
def test_what_cannot_be_is_refused(texts, options, reason):
    with pytest.raises(LanguageModelError, match=reason):
        train_ngram(texts, **options)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("ABCD"), min_size=1, max_size=6), min_size=1, max_size=12),
    st.integers(1, 4),
    st.sampled_from([0.0, 1e-3, 0.05, 1.0]),
)
def test_after_any_context_the_words_share_all_probability(sentences, order, threshold):
    model = train_ngram(lines(sentences), order, threshold=threshold)
    words = sorted({word for sentence in sentences for word in sentence})
    for context in [(), ("<s>",), *((a, b) for a in words for b in words), ("<s>", *sentences[0])]:
        assert distribution(model, context, words).sum() == pytest.approx(1, abs=1e-4)
