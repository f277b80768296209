"""Perplexity of a text against its sentences scored one by one."""

from __future__ import annotations

import numpy as np
import pytest

from asr.errors import LanguageModelError
from asr.lm import perplexity, train_ngram


def test_sums_are_those_of_the_sentences(sentences):
    texts = [" ".join(sentence) for sentence in sentences]
    model = train_ngram(texts[:100], 3, vocabulary_size=6)
    found = perplexity(model, ["\n".join(texts[100:]), "", "\n"])
    words = [word for sentence in sentences[100:] for word in sentence]
    assert (found.sentences, found.words) == (100, len(words))
    assert found.unknown == int((model.word_ids(words) == 0).sum())
    assert found.log_prob == pytest.approx(sum(map(model.sentence_log_prob, sentences[100:])))
    assert found.including_unknown == pytest.approx(np.exp(-found.log_prob / (len(words) + 100)))


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_it_is_that_of_the_formulas_to_a_millionth(kneser_ney, sentences, order):
    train, test = sentences[:150], sentences[150:]
    oracle = kneser_ney(train, order)
    total = tokens = 0
    for sentence in test:
        padded = ["<s>", *(word if word in oracle.outcomes else "<unk>" for word in sentence), "</s>"]
        for i in range(1, len(padded)):
            total += np.log(oracle.prob(tuple(padded[max(i - order + 1, 0) : i]), padded[i]))
            tokens += 1
    model = train_ngram([" ".join(sentence) for sentence in train], order)
    found = perplexity(model, [" ".join(sentence) for sentence in test])
    assert found.including_unknown == pytest.approx(np.exp(-total / tokens), rel=1e-6)


def test_unknown_words_are_counted_apart():
    model = train_ngram(["A B", "A B"], 1)
    found = perplexity(model, ["A ZEBRA B"])
    unknown = float(model.score(np.array([0]), np.array([0]))[0][0])
    assert (found.unknown, found.unknown_rate) == (1, 1 / 3)
    assert found.unknown_log_prob == pytest.approx(unknown)
    assert found.excluding_unknown == pytest.approx(np.exp(-(found.log_prob - unknown) / 3))


def test_no_words_have_no_perplexity():
    with pytest.raises(LanguageModelError, match="no words"):
        perplexity(train_ngram(["A"], 1), ["", "\n"])
