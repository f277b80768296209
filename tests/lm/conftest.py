"""Interpolated modified Kneser-Ney by dictionaries, straight from the formulas; slow, plain, and shares no code.

Chen and Goodman 1998, section 3: the adjusted count of an n-gram is its count at the highest order and where it
starts with <s>, elsewhere the number of different words before it.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict

import pytest

FALLBACK = {1: 0.5, 2: 1.0, 3: 1.5}


class KneserNey:
    def __init__(self, sentences, order, cutoffs=None, vocabulary=None):
        known = vocabulary or {word for sentence in sentences for word in sentence}
        self.order = order
        self.cutoffs = cutoffs or [0] * order
        self.outcomes = [*sorted(known), "<unk>", "</s>"]
        self.raw = [Counter() for _ in range(order + 1)]
        for sentence in sentences:
            padded = ["<s>", *(word if word in known else "<unk>" for word in sentence), "</s>"]
            for n in range(1, order + 1):
                self.raw[n].update(tuple(padded[i : i + n]) for i in range(len(padded) - n + 1))
        self.adjusted = [None, *(self._adjusted(n) for n in range(1, order + 1))]
        self.discount = [None, *(self._discounts(n) for n in range(1, order + 1))]
        self.following = defaultdict(list)
        for n in range(1, order + 1):
            for ngram, count in self.adjusted[n].items():
                self.following[ngram[:-1]].append((ngram, count))

    def _adjusted(self, n):
        if n == self.order:
            counts = dict(self.raw[n])
        else:
            before = defaultdict(set)
            for ngram in self.raw[n + 1]:
                before[ngram[1:]].add(ngram[0])
            counts = {ngram: len(words) for ngram, words in before.items()}
            counts |= {ngram: c for ngram, c in self.raw[n].items() if ngram[0] == "<s>"}
        counts.pop(("<s>",), None)
        return counts

    def _discounts(self, n):
        n1, n2, n3, n4 = (sum(c == k for c in self.adjusted[n].values()) for k in (1, 2, 3, 4))
        if 0 in (n1, n2, n3):
            return FALLBACK
        y = n1 / (n1 + 2 * n2)
        found = {1: 1 - 2 * y * n2 / n1, 2: 2 - 3 * y * n3 / n2, 3: 3 - 4 * y * n4 / n3}
        return found if all(0 < d <= k for k, d in found.items()) else FALLBACK

    def kept(self, ngram):
        n = len(ngram)
        return n == 1 or self.raw[n][ngram] > self.cutoffs[n - 1]

    def taken(self, ngram, count):
        return self.discount[len(ngram)][min(count, 3)] if self.kept(ngram) else count

    def gamma(self, context):
        rows = self.following[context]
        total = sum(count for _, count in rows)
        return sum(self.taken(ngram, count) for ngram, count in rows) / total if total else 1.0

    def prob(self, context, word):
        """p(word | context), ``context`` a tuple of at most order - 1 words."""
        shorter = self.prob(context[1:], word) if context else 1 / len(self.outcomes)
        rows = dict(self.following[context])
        count = rows.get((*context, word), 0)
        if not rows:
            return shorter
        return (count - self.taken((*context, word), count) if count else 0) / sum(rows.values()) + (
            self.gamma(context) * shorter
        )


@pytest.fixture(scope="session")
def kneser_ney():
    return KneserNey


@pytest.fixture(scope="session")
def sentences():
    """200 sentences of 12 words, some frequent, some rare, and some that follow others often."""
    draw = random.Random(7)
    words = "THE A CAT DOG SAT RAN OLD RED ON IN MAT HOUSE".split()
    weights = [12, 9, 8, 7, 6, 5, 4, 3, 2, 2, 1, 1]

    def sentence():
        found = []
        for _ in range(draw.choice([1, 2, 3, 5, 8])):
            found.append(words[(words.index(found[-1]) + 2) % 12] if found and draw.random() < 0.4 else "")
            found[-1] = found[-1] or draw.choices(words, weights)[0]
        return found

    return [sentence() for _ in range(200)]
