"""Pruning of a beam: scores must be near the best, the best of their state, and among the best of a number."""

from __future__ import annotations

import numpy as np


def best_of_each(scores: np.ndarray, recording: np.ndarray, recordings: int) -> np.ndarray:
    """Return the best score (R,) of each recording."""
    best = np.full(recordings, -np.inf)
    np.maximum.at(best, recording, scores)
    return best


def near_the_best(scores: np.ndarray, recording: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """Return which (N,) of the scores are less than ``threshold`` (R,) below the best of their recording."""
    least = best_of_each(scores, recording, len(threshold)) - threshold
    found: np.ndarray = scores > least.take(recording)
    return found


def best_of_each_state(state_hashes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return the places, in order, of the best score of each state; of equal scores, the first."""
    if not len(state_hashes):
        return np.arange(0)
    by_hash = state_hashes.argsort()
    ranked = state_hashes.take(by_hash)
    new = ranked[1:] != ranked[:-1]
    group = np.zeros(len(state_hashes), np.intp)
    np.cumsum(new, out=group[1:])
    starts = np.concatenate([[0], new.nonzero()[0] + 1])
    if len(starts) == len(state_hashes):
        return np.arange(len(state_hashes))
    theirs = scores.take(by_hash)
    best = (theirs == np.maximum.reduceat(theirs, starts).take(group)).nonzero()[0]
    places = by_hash.take(best)
    if len(best) > len(starts):
        order = np.lexsort((places, group.take(best)))
        places, groups = places.take(order), group.take(best).take(order)
        places = places[np.concatenate([[True], groups[1:] != groups[:-1]])]
    kept = np.zeros(len(state_hashes), bool)
    kept[places] = True
    return kept.nonzero()[0]


_FEW = 500
"""The number of scores up to which a stable sort is as fast as any other."""


def _best_first(scores: np.ndarray) -> np.ndarray:
    """Return the places (N,) of the scores (N,), the highest first and equal ones in order.

    The order of equal scores must not depend on the sort. For many scores a stable sort takes several times as long as
    another, and it is needed only if two scores are equal.
    """
    if len(scores) > _FEW:
        order = (-scores).argsort()
        ranked = scores.take(order)
        if not (ranked[1:] == ranked[:-1]).any():
            return order
    return (-scores).argsort(kind="stable")


def widest_of_each(
    kept: np.ndarray, scores: np.ndarray, recording: np.ndarray, recordings: int, width: int
) -> np.ndarray:
    """Return those of ``kept``, in order, that are among the ``width`` best scores of their recording.

    Of equal scores, the one with the lower place is better.
    """
    best_first = kept.take(_best_first(scores.take(kept)))
    whose = recording.take(best_first)
    by_recording = whose.astype(np.uint8).argsort(kind="stable")
    counts = np.bincount(whose, minlength=recordings)
    rank = np.arange(len(kept)) - (counts.cumsum() - counts).repeat(counts)
    kept = best_first.take(by_recording[rank < width])
    kept.sort()
    return kept
