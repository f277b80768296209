"""From a search to the hypotheses of a recording: the first, which is the same for any number, and more."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Protocol

import numpy as np

from asr.decoding.hypothesis import Hypothesis
from asr.decoding.lattice import TextHasher
from asr.decoding.n_best import best_texts
from asr.decoding.prefix_beam_search import PrefixBeamSearch, Reading

_TRIES = 20
"""Texts looked at for each hypothesis that is asked for, where most cannot be one, for example for want of frames."""


class Spelling(Protocol):
    """Makes hypotheses of the label sequences that a search has found."""

    def first(self, found: Sequence[Reading], log_probs: np.ndarray) -> Hypothesis | None:
        """Return the likeliest text of the best label sequences, those of one text summed; None where there is none.

        Args:
            found: of the search, best first.
            log_probs: (T', V) of characters, to align with.
        """
        ...

    def other(self, labels: tuple[int, ...], score: float, log_probs: np.ndarray) -> Hypothesis | None:
        """Return the text of one label sequence; None where ``log_probs`` (T', V) cannot spell it."""
        ...


def hypotheses_of(
    search: PrefixBeamSearch,
    searched: Sequence[np.ndarray],
    log_probs: Sequence[np.ndarray],
    spelling: Spelling,
    hasher: TextHasher,
    *,
    variants: int,
    n_best: int,
) -> list[list[Hypothesis]]:
    """Return the hypotheses of each recording, best first, of different texts.

    The first is the same for any ``n_best``. The others are read off the lattice of what the search merged, and none
    has a higher score.

    Args:
        search: finds label sequences.
        searched: (T, labels) of each recording, what is searched.
        log_probs: (T', V) of each recording, what labels are aligned with.
        spelling: makes hypotheses.
        hasher: tells texts apart, as ``spelling`` does.
        variants: label sequences looked at for the first hypothesis, since several may be one text.
        n_best: hypotheses of a recording, where it has as many.
    """
    if n_best == 1:
        pairs = zip(search.read(searched, variants), log_probs, strict=True)
        firsts = [spelling.first(found, one) for found, one in pairs]
        return [[] if first is None else [first] for first in firsts]
    # One by one: what is merged is remembered by recording, and this is not where time is short.
    both = zip(searched, log_probs, strict=True)
    return [_several(search, some, one, spelling, hasher, variants, n_best) for some, one in both]


def _several(
    search: PrefixBeamSearch,
    searched: np.ndarray,
    log_probs: np.ndarray,
    spelling: Spelling,
    hasher: TextHasher,
    variants: int,
    n_best: int,
) -> list[Hypothesis]:
    beam, lattice = search.with_lattice(searched)
    first = spelling.first(search.finish(beam, variants), log_probs)
    if first is None:
        return []
    found = {_words(first): first}
    texts = best_texts(lattice, beam.node, search.final_scores(beam), hasher, first.score)
    for labels, score in islice(texts, _TRIES * n_best):
        other = spelling.other(labels, score, log_probs)
        if other is not None:
            found.setdefault(_words(other), other)
        if len(found) == n_best:
            break
    return list(found.values())


def _words(hypothesis: Hypothesis) -> str:
    return " ".join(hypothesis.text.split())
