"""Relative-entropy pruning against the divergence summed word by word, and its two limits."""

from __future__ import annotations

import numpy as np
import pytest

from asr.lm import NgramModel, perplexity, train_ngram
from asr.lm.counts import count_ngrams
from asr.lm.kneser_ney import smooth
from asr.lm.prune import perplexity_changes
from asr.lm.tokens import tokenise


@pytest.fixture
def texts(sentences):
    return [" ".join(sentence) for sentence in sentences]


def test_the_change_is_that_of_all_probabilities_of_the_context(kneser_ney, sentences, texts):
    """Leave one 2-gram out, back off so that all sums to 1, and sum p(h) p(w|h) log(p(w|h) / p'(w|h)) over all w."""
    oracle = kneser_ney(sentences, 2)
    tokens = tokenise(texts)
    ngrams = smooth(count_ngrams(tokens, 2), tokens.sentence_start)
    names = ["<unk>", *tokens.words, "<s>", "</s>"]
    changes = perplexity_changes(ngrams)[1]
    total = sum(len(sentence) + 2 for sentence in sentences)
    for row in range(0, len(changes), 7):
        context, word = names[ngrams[1].contexts[row]], names[ngrams[1].words[row]]
        seen = {ngram[1] for ngram, _ in oracle.following[(context,)]} - {word}
        before = {w: oracle.prob((context,), w) for w in oracle.outcomes}
        shorter = {w: oracle.prob((), w) for w in oracle.outcomes}
        weight = (1 - sum(before[w] for w in seen)) / (1 - sum(shorter[w] for w in seen))
        after = {w: before[w] if w in seen else weight * shorter[w] for w in oracle.outcomes}
        divergence = sum(p * np.log(p / after[w]) for w, p in before.items())
        divergence *= oracle.raw[1][(context,)] / total
        assert changes[row] == pytest.approx(np.expm1(divergence), rel=1e-4, abs=1e-9)


def test_more_pruning_is_fewer_ngrams_and_a_higher_perplexity(texts):
    models = [train_ngram(texts, 3, threshold=threshold) for threshold in (0, 1e-5, 1e-4, 1e-3, 1e9)]
    sizes = [sum(model.counts) for model in models]
    assert sizes == sorted(sizes, reverse=True)
    assert models[-1].counts[1:] == (0, 0)
    measured = [perplexity(model, texts).including_unknown for model in models]
    assert measured == pytest.approx(sorted(measured), rel=1e-3)
    assert measured[-1] > 1.2 * measured[0]


def test_the_context_of_what_stays_stays(texts):
    model = train_ngram(texts, 3, threshold=1e-3).tables()
    for lower, higher in zip(model.tables, model.tables[1:], strict=False):
        assert higher.contexts.max() < len(lower)


def test_a_size_is_met_and_little_of_it_left_unused(tmp_path):
    texts = [" ".join(map(str, row)) for row in np.random.default_rng(0).geometric(0.2, (2000, 8))]
    train_ngram(texts, 4).save(tmp_path / "all.lm")
    size = (tmp_path / "all.lm").stat().st_size // 3
    train_ngram(texts, 4, size=size).save(tmp_path / "some.lm")
    assert 0.85 * size < (tmp_path / "some.lm").stat().st_size <= size
    assert NgramModel.open(tmp_path / "some.lm").counts[3] > 0
