"""Relative-entropy pruning: remove the n-grams whose loss changes the model least (Stolcke 1998).

Without the n-gram h w, p(w|h) becomes bo'(h) p(w|h'). The Kullback-Leibler divergence between the two models is
then (Stolcke, equation 6)::

    D = -p(h) { p(w|h) [log p(w|h') + log bo'(h) - log p(w|h)] + (mass backed off in h) [log bo'(h) - log bo(h)] }

and exp(D) - 1 is the relative change of perplexity. p(h) is the relative frequency of h in the text. SRILM multiplies
Kneser-Ney's lower orders instead, which measure how many words precede h, not how often h occurs (Chelba et al. 2010).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from asr.lm.kneser_ney import Ngrams
from asr.lm.tables import Table

_TINY = 1e-12


def perplexity_changes(ngrams: Sequence[Ngrams]) -> list[np.ndarray]:
    """Compute the relative change of perplexity (n,) float32 from removing each n-gram alone; infinite for words.

    Args:
        ngrams: orders 1 to N of one model.
    """
    words = float(ngrams[0].occurrences.sum())
    changes = [np.full(len(ngrams[0]), np.inf, np.float32)]
    for below, one in zip(ngrams, ngrams[1:], strict=False):
        changes.append(np.expm1(_divergences(one, below, words)).astype(np.float32))
    return changes


def _divergences(one: Ngrams, below: Ngrams, words: float) -> np.ndarray:
    shorter = below.probs[one.suffixes]
    unseen = np.maximum(1 - np.bincount(one.contexts, shorter, len(below)), _TINY)
    backed_off = below.gammas * unseen
    now = below.gammas[one.contexts]
    then = (backed_off[one.contexts] + one.probs) / (unseen[one.contexts] + shorter)
    gain = one.probs * np.log(shorter * then / one.probs) + backed_off[one.contexts] * np.log(then / now)
    changes: np.ndarray = -below.occurrences[one.contexts] / words * gain
    return changes


def _chosen(ngrams: Sequence[Ngrams], changes: Sequence[np.ndarray], threshold: float) -> list[np.ndarray]:
    """Return which n-grams (n,) bool stay at each order: those that change perplexity enough, and their contexts."""
    kept = [change >= threshold for change in changes]
    for order in range(len(ngrams) - 1, 1, -1):
        kept[order - 1][ngrams[order].contexts[kept[order]]] = True
    return kept


def threshold_for(ngrams: Sequence[Ngrams], fits: Callable[[Sequence[int]], bool]) -> float:
    """Find the smallest threshold, to 1 per cent, whose n-gram counts by order ``fits`` accepts."""
    changes = perplexity_changes(ngrams)

    def ok(threshold: float) -> bool:
        return fits([int(np.count_nonzero(kept)) for kept in _chosen(ngrams, changes, threshold)])

    if ok(0.0):
        return 0.0
    low, high = 1e-15, 1.0
    while high > 1.01 * low:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if ok(middle) else (middle, high)
    return high


def prune(ngrams: Sequence[Ngrams], threshold: float) -> list[Table]:
    """Remove the n-grams whose loss changes perplexity by less than the fraction ``threshold``.

    The contexts of the n-grams that stay are kept too. New back-off weights make each context sum to 1 again.
    """
    kept = _chosen(ngrams, perplexity_changes(ngrams), threshold)
    below, backoffs = ngrams[0].probs, []
    for lower, one, mask in zip(ngrams, ngrams[1:], kept[1:], strict=False):
        shorter = below[one.suffixes]
        contexts = one.contexts[mask]
        left = 1 - np.bincount(contexts, one.probs[mask], len(lower))
        unseen = 1 - np.bincount(contexts, shorter[mask], len(lower))
        backoffs.append(np.maximum(left, _TINY) / np.maximum(unseen, _TINY))
        below = np.where(mask, one.probs, backoffs[-1][one.contexts] * shorter)
    backoffs.append(np.ones(len(ngrams[-1])))
    return [
        _table(one, mask, mask_below, backoff)
        for one, mask, mask_below, backoff in zip(ngrams, kept, [np.ones(1, bool), *kept], backoffs, strict=False)
    ]


def _table(one: Ngrams, mask: np.ndarray, mask_below: np.ndarray, backoffs: np.ndarray) -> Table:
    whole = replace(one, gammas=backoffs).table()
    rows = np.cumsum(mask_below) - 1
    return Table(rows[whole.contexts[mask]], whole.words[mask], whole.log_probs[mask], whole.backoffs[mask])
