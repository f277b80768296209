"""The hypotheses of a recording that a search finds: a first one, which does not depend on their number, and others."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Protocol

from asr.arrays import LabelLogProbs
from asr.decoding.hypothesis import Hypothesis
from asr.decoding.lattice import TextHasher
from asr.decoding.n_best import best_texts
from asr.decoding.prefix_beam_search import PrefixBeamSearch, ScoredLabels

_TRIES = 20
"""The most texts considered for each requested hypothesis, since many may be unusable, such as for lack of frames."""


class Spelling(Protocol):
    """A maker of hypotheses from the label sequences that a search has found."""

    def first(self, found: Sequence[ScoredLabels], log_probs: LabelLogProbs) -> Hypothesis | None:
        """Return the likeliest text of the best label sequences; None if there is none.

        The probabilities of label sequences that spell the same text are summed.

        Args:
            found: the label sequences that the search found, best first.
            log_probs: (T', V) the log-probabilities of characters, with which the labels are aligned.
        """
        ...

    def other(self, labels: tuple[int, ...], score: float, log_probs: LabelLogProbs) -> Hypothesis | None:
        """Return the hypothesis of one label sequence; None if ``log_probs`` (T', V) cannot spell it."""
        ...


def hypotheses_of(
    search: PrefixBeamSearch,
    searched: Sequence[LabelLogProbs],
    log_probs: Sequence[LabelLogProbs],
    spelling: Spelling,
    hasher: TextHasher,
    *,
    variants: int,
    n_best: int,
) -> list[list[Hypothesis]]:
    """Return the hypotheses of each recording, best first, all with different texts.

    The first hypothesis is the same for any ``n_best``. The others are read off the lattice of prefixes that the search
    merged, and none has a higher score than the first.

    Args:
        search: the search that finds label sequences.
        searched: for each recording, the log-probabilities (T, labels) that are searched.
        log_probs: for each recording, the log-probabilities (T', V) with which labels are aligned.
        spelling: the maker of hypotheses.
        hasher: the hasher that tells texts apart in the same way as ``spelling``.
        variants: the number of label sequences considered for the first hypothesis, since several may spell one text.
        n_best: the number of hypotheses of each recording; a recording may have fewer.
    """
    if n_best == 1:
        pairs = zip(search.read(searched, variants), log_probs, strict=True)
        firsts = [spelling.first(found, one) for found, one in pairs]
        return [[] if first is None else [first] for first in firsts]
    # Recordings are searched one by one, since each has its own lattice and speed matters less here.
    both = zip(searched, log_probs, strict=True)
    return [_several(search, some, one, spelling, hasher, variants, n_best) for some, one in both]


def _several(
    search: PrefixBeamSearch,
    searched: LabelLogProbs,
    log_probs: LabelLogProbs,
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
