"""Interpolated modified Kneser-Ney smoothing (Chen and Goodman 1998, section 3), with the choices of kenlm's lmplz.

With c the adjusted counts of ``Counts``, h a context, h' the same without its first word, and • any word::

    p(w|h) = (c(hw) - D(c(hw))) / c(h•) + γ(h) p(w|h')
    γ(h)   = (D1 N1(h•) + D2 N2(h•) + D3 N3+(h•)) / c(h•)

Unigrams back off to the uniform distribution over the vocabulary, which includes <unk> and </s> but not <s>. So <unk>
has the probability γ() / size where no word of the text is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from asr.errors import LanguageModelError
from asr.lm.counts import Counts
from asr.lm.tables import Table

NEVER = 1e-99
"""Probability in place of 0, such as that of <s>; ARPA files write -99."""

_FALLBACK = (0.5, 1.0, 1.5)


@dataclass(frozen=True)
class Ngrams:
    """The smoothed n-grams of one order: the content of a ``Table``, and what pruning needs besides.

    ``suffixes`` and ``occurrences`` (n,) are those of ``Counts``; ``probs`` (n,) float64 are p(w|h); ``gammas`` (n,)
    are the back-off weights of the n-grams as contexts, 1 where no longer n-gram begins with them.
    """

    contexts: np.ndarray
    suffixes: np.ndarray
    words: np.ndarray
    occurrences: np.ndarray
    probs: np.ndarray
    gammas: np.ndarray

    def __len__(self) -> int:
        return len(self.words)

    def table(self) -> Table:
        """Return the n-grams with their probabilities and back-off weights as natural logarithms."""
        log_probs = np.log(np.maximum(self.probs, NEVER))
        return Table(self.contexts.astype(np.int64), self.words, log_probs, np.log(self.gammas))


def discounts(adjusted: np.ndarray) -> tuple[float, float, float]:
    """Estimate the discounts D1, D2 and D3+ of one order from its counts of counts (Chen and Goodman, equation 26).

    Where the text is too small (no n-gram occurs 1, 2 or 3 times, or a discount would be below 0 or above the count),
    return 0.5, 1 and 1.5, the values of lmplz's ``--discount_fallback``.
    """
    once, twice, thrice, four = (int(np.count_nonzero(adjusted == i)) for i in range(1, 5))
    if not once or not twice or not thrice:
        return _FALLBACK
    y = once / (once + 2 * twice)
    found = (1 - 2 * y * twice / once, 2 - 3 * y * thrice / twice, 3 - 4 * y * four / thrice)
    in_range = all(0 < discount <= i for i, discount in enumerate(found, start=1))
    return found if in_range else _FALLBACK


def smooth(counts: Sequence[Counts], sentence_start: int, cutoffs: Sequence[int] = ()) -> list[Ngrams]:
    """Compute the probabilities of all n-grams that occur more often than the cut-off of their order.

    Args:
        counts: one for each order from 1 to N.
        sentence_start: the word id of <s>, whose probability is 0.
        cutoffs: one for each order from 1 on; the last holds for all higher orders. The first must be 0, and none may
            be less than the one before. The mass of n-grams that are cut goes to the back-off weight of their context.

    Raises:
        LanguageModelError: the first cut-off is not 0, or a cut-off is less than the one before.
    """
    below = _uniform(len(counts[0]) - 1)
    kept_below = np.ones(1, bool)
    made: list[Ngrams] = []
    for one, limit in zip(counts, _cutoffs(cutoffs, len(counts)), strict=True):
        kept = np.ones(len(one), bool) if not made else one.occurrences > limit
        ngrams, gammas = _smooth_order(one, kept, below, kept_below)
        if made:
            made[-1] = replace(made[-1], gammas=gammas)
        else:
            ngrams.probs[sentence_start] = 0
        made.append(ngrams)
        below, kept_below = ngrams, kept
    return made


def _uniform(size: int) -> Ngrams:
    """Return order 0: the empty n-gram alone, with the uniform probability."""
    zero = np.zeros(1, np.int32)
    return Ngrams(zero, zero, zero, zero, np.array([1 / size]), np.ones(1))


def _cutoffs(cutoffs: Sequence[int], order: int) -> list[int]:
    found = [*cutoffs, *[cutoffs[-1] if cutoffs else 0] * order][:order]
    if found[0] != 0 or sorted(found) != found:
        raise LanguageModelError(f"cut-offs must start with 0 and not fall from order to order, got {list(cutoffs)}")
    return found


def _smooth_order(one: Counts, kept: np.ndarray, below: Ngrams, kept_below: np.ndarray) -> tuple[Ngrams, np.ndarray]:
    """Return the n-grams of one order, and the back-off weights of the n-grams one order lower.

    The contexts and suffixes of ``one`` are rows before the cut; ``below`` holds only the rows where ``kept_below``.
    """
    rows = np.cumsum(kept_below) - 1
    taken = np.array([0.0, *discounts(one.adjusted)])[np.minimum(one.adjusted, 3)]
    total = np.bincount(one.contexts, one.adjusted, len(rows))
    freed = np.bincount(one.contexts, np.where(kept, taken, one.adjusted), len(rows))
    gammas = np.divide(freed, total, out=np.ones(len(rows)), where=total > 0)
    contexts, suffixes = one.contexts[kept], rows[one.suffixes[kept]]
    probs = (one.adjusted - taken)[kept] / total[contexts] + gammas[contexts] * below.probs[suffixes]
    ngrams = Ngrams(rows[contexts], suffixes, one.words[kept], one.occurrences[kept], probs, np.ones(len(probs)))
    return ngrams, gammas[kept_below]
