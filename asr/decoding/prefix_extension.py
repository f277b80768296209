"""The paths of prefixes after one more frame: with a blank, with the last label again, or with a further label.

This is the recursion of Hannun et al. 2014, algorithm 1, for all prefixes of a beam at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asr.decoding.beam import Beam
from asr.text import BLANK


def stay(beam: Beam, frame: np.ndarray) -> Beam:
    """Return the prefixes after a frame that adds no label: each path gets a blank or the prefix's last label again."""
    ends_blank = beam.total + frame[beam.recording, BLANK]
    ends_label = beam.ends_label + frame[beam.recording, beam.last]
    return Beam(
        beam.recording,
        ends_blank,
        ends_label,
        _log_sum(ends_blank, ends_label),
        beam.extra,
        beam.states,
        beam.last,
        beam.state_hash,
        beam.identity,
        beam.parent,
        beam.node,
        beam.tree,
    )


def _log_sum(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the logarithm of ``exp(a) + exp(b)``, as `numpy.logaddexp`, but without a branch for each number."""
    higher = np.maximum(a, b)
    with np.errstate(invalid="ignore"):
        lower = np.minimum(a, b) - higher
    found: np.ndarray = higher + np.log1p(np.exp(np.fmin(lower, 0.0)))
    return found


@dataclass(frozen=True)
class Extensions:
    """N extensions of prefixes of a beam by one label; those of one prefix are side by side, with labels in order.

    Attributes:
        rows: (N,) the rows in the beam of the prefixes without the label.
        labels: (N,) the label that is added.
        ends_label: (N,) the log-probability of the paths that the label extends at this frame.
    """

    rows: np.ndarray
    labels: np.ndarray
    ends_label: np.ndarray


def extend(beam: Beam, frame: np.ndarray, following: np.ndarray) -> Extensions:
    """Extend every prefix by every label that may follow it (W, V).

    The last label of a prefix extends only the paths that end in a blank; otherwise it is the same label repeated.
    """
    rows, labels = np.divmod(following.ravel().nonzero()[0], following.shape[1])
    again = beam.last.take(rows) == labels
    before = np.where(again, beam.ends_blank.take(rows), beam.total.take(rows))
    return Extensions(rows, labels, before + frame[beam.recording.take(rows), labels])


def merge_into_children(beam: Beam, stayed: Beam, extensions: Extensions, extending: np.ndarray) -> None:
    """Move the paths of each extension that is already a prefix of the beam to that prefix."""
    rows = extending[beam.recording, beam.last].nonzero()[0]
    if not len(rows):
        return
    order = beam.identity.argsort()
    parents = order.take(beam.identity.searchsorted(beam.parent[rows], sorter=order), mode="clip")
    found = beam.identity[parents] == beam.parent[rows]
    children, parents = rows[found], parents[found]
    num_labels = extending.shape[1]
    places = extensions.rows * num_labels + extensions.labels
    at = places.searchsorted(parents * num_labels + beam.last[children])
    arriving = extensions.ends_label[at]
    stayed.ends_label[children] = np.logaddexp(stayed.ends_label[children], arriving)
    stayed.total[children] = np.logaddexp(stayed.total[children], arriving)
    extensions.ends_label[at] = -np.inf
