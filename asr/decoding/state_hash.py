"""Hashes of 64 bits that tell prefixes, and the states that all that may follow them depends on, apart.

The hash of a prefix begins with the number of its recording and grows with each label.
"""

from __future__ import annotations

import numpy as np

SIDE_BY_SIDE = 16
"""The most recordings in one table: with more of them, the cost of the rows begins to matter."""

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SEED = np.uint64(0xD1B54A32D192ED03)
"""The constants of the hashes; both are odd and have mixed bits."""

_SHIFT = np.uint64(29)

_SALTS = np.arange(1, SIDE_BY_SIDE + 1, dtype=np.uint64) * _SEED
"""Salts, which tell the state hashes of different recordings in one table apart."""


def first_identities(recordings: int) -> np.ndarray:
    """Return the hashes (R,) of the empty prefixes of recordings 0 to R - 1."""
    found: np.ndarray = np.arange(1, recordings + 1, dtype=np.uint64) * _SEED
    return found


def grown_identities(parents: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the hashes (N,) of the prefixes with hashes ``parents`` (N,), each with one of ``labels`` (N,) added."""
    found: np.ndarray = parents * _MULTIPLIER + labels.astype(np.uint64)
    return found


def salted(state_hashes: np.ndarray, recording: np.ndarray) -> np.ndarray:
    """Return the state hashes (N,) of prefixes of ``recording`` (N,), different for each recording."""
    found: np.ndarray = state_hashes ^ _SALTS.take(recording)
    return found


def state_hashes_of(labels: np.ndarray, doubled: np.ndarray, states: np.ndarray) -> np.ndarray:
    """Return the hashes (N,), as ``Beam.state_hash``, of prefixes that end in ``labels`` (N,) and have states (N, S).

    ``doubled`` (N,) tells which prefixes end in a doubled label.
    """
    hashes = (2 * labels + doubled).astype(np.uint64) * _MULTIPLIER
    for column in states.T:
        hashes = (hashes ^ (hashes >> _SHIFT)) * _MULTIPLIER + column.astype(np.uint64)
    found: np.ndarray = hashes * _MULTIPLIER
    return found
