"""Counts of n-grams and of the words that precede them, order by order, without a dictionary.

At each place of the text, the n-gram that starts there is the (n-1)-gram there and one more word: a pair of integers,
packed into one. Sorting the packed keys numbers the n-grams, and the next order uses these numbers. So keys of any
order and any vocabulary fit 64 bits, and contexts and suffixes need no search.

Everything is held in memory: training of order 3 takes about 110 bytes a word of text (2.2 GB for 19 million words).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.lm.tokens import Tokens


@dataclass(frozen=True)
class Counts:
    """The n-grams of one order, sorted by (context, word).

    ``contexts`` and ``suffixes`` (n,) are the n-grams without their last and without their first word, as rows one
    order lower; ``words`` (n,) are the last words. ``occurrences`` (n,) count places in the text. ``adjusted`` (n,) are
    the counts that Kneser-Ney smooths: the occurrences at the highest order and where the n-gram begins with <s>,
    elsewhere the number of different words that precede the n-gram.
    """

    contexts: np.ndarray
    suffixes: np.ndarray
    words: np.ndarray
    occurrences: np.ndarray
    adjusted: np.ndarray

    def __len__(self) -> int:
        return len(self.words)


def count_ngrams(tokens: Tokens, order: int) -> list[Counts]:
    """Count the n-grams of orders 1 to ``order``; order 1 has a row for each word id, and <s> has count 0."""
    found = [_count_words(tokens)]
    numbers = tokens.ids.astype(np.int32)
    places = np.arange(len(tokens.ids))
    for length in range(2, order + 1):
        places = places[tokens.ids[places + length - 2] != tokens.sentence_end]
        counts, numbers = _count_longer(tokens, numbers, places, length)
        found.append(counts)
    return _adjusted(found, tokens.sentence_start)


def _count_words(tokens: Tokens) -> Counts:
    size = tokens.sentence_end + 1
    occurrences = np.bincount(tokens.ids, minlength=size)
    none = np.zeros(size, np.int32)
    return Counts(none, none, np.arange(size, dtype=np.int32), occurrences, occurrences)


def _count_longer(tokens: Tokens, numbers: np.ndarray, places: np.ndarray, length: int) -> tuple[Counts, np.ndarray]:
    """Count the n-grams of ``length`` words that start at ``places``; return also their row at each place of the text.

    ``numbers`` (T,) are the rows of the n-grams that are one word shorter.
    """
    width = np.int64(tokens.sentence_end + 1)
    keys = numbers[places] * width + tokens.ids[places + length - 1]
    order = np.argsort(keys)
    keys = keys[order]
    first = np.concatenate([[True], keys[1:] != keys[:-1]]) if len(keys) else np.zeros(0, bool)
    begins = np.flatnonzero(first)
    contexts, words = np.divmod(keys[begins], width)
    del keys
    suffixes = numbers[places[order[begins]] + 1]
    occurrences = np.diff(begins, append=len(places))
    longer = np.zeros(len(numbers), np.int32)
    longer[places[order]] = np.cumsum(first) - 1
    counts = Counts(contexts.astype(np.int32), suffixes, words.astype(np.int32), occurrences, occurrences)
    return counts, longer


def _adjusted(found: list[Counts], sentence_start: int) -> list[Counts]:
    starts_sentence = found[0].words == sentence_start
    made = []
    for lower, higher in zip(found, found[1:], strict=False):
        before = np.bincount(higher.suffixes, minlength=len(lower))
        adjusted = np.where(starts_sentence, lower.occurrences, before)
        made.append(Counts(lower.contexts, lower.suffixes, lower.words, lower.occurrences, adjusted))
        starts_sentence = starts_sentence[higher.contexts]
    made.append(found[-1])
    first = made[0]
    without_start = np.where(first.words == sentence_start, 0, first.adjusted)
    return [Counts(first.contexts, first.suffixes, first.words, first.occurrences, without_start), *made[1:]]
