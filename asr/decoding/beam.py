"""The beam of a prefix beam search: a table of arrays with one row for each prefix, and how wide it may be."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from asr.decoding.prefix_tree import PrefixTree


@dataclass(frozen=True)
class BeamOptions:
    """The options that limit how wide the search is.

    Attributes:
        width: the number of prefixes that are kept after each frame.
        threshold: prefixes whose scores are this far below the best, in natural logarithms, are dropped.
        token_threshold: a label whose log-probability at a frame is lower than this does not extend prefixes there.
        merge: whether to merge prefixes that end in the same label and have the same state for all scorers, so that
            whatever follows adds the same to each. Only the best of them is kept, and the paths of the others are lost
            to the sums.
    """

    width: int = 64
    threshold: float = 15.0
    token_threshold: float = -6.0
    merge: bool = True


@dataclass(frozen=True)
class Beam:
    """The W prefixes that are left after some frames, of one recording or of several.

    Attributes:
        recording: (W,) the number of the recording that the prefix belongs to, from 0.
        ends_blank: (W,) the log-probability of all paths of the prefix that end in a blank.
        ends_label: (W,) the log-probability of all paths of the prefix that end in its last label.
        total: (W,) the log-probability of all paths of the prefix.
        extra: (W,) what the scorers have given so far.
        states: (W, S) the states of the scorers.
        last: (W,) the last label; the blank for the empty prefix.
        state_hash: (W,) a hash of the last label and the scorers' states, on which all that may follow depends. It
            tells a doubled letter from a single one, because a single one may still become doubled.
        identity, parent: (W,) the hash of the prefix, and the hash of the prefix without its last label.
        node: (W,) the node in ``tree``.
        tree: all prefixes.
    """

    recording: np.ndarray
    ends_blank: np.ndarray
    ends_label: np.ndarray
    total: np.ndarray
    extra: np.ndarray
    states: np.ndarray
    last: np.ndarray
    state_hash: np.ndarray
    identity: np.ndarray
    parent: np.ndarray
    node: np.ndarray
    tree: PrefixTree = field(repr=False)

    @property
    def scores(self) -> np.ndarray:
        """The score (W,) of each prefix: its log-probability plus what the scorers gave."""
        found: np.ndarray = self.total + self.extra
        return found

    def labels(self, row: int) -> tuple[int, ...]:
        """Return the labels of the prefix in a row."""
        return self.tree.labels(int(self.node[row]))


def rows_of(beam: Beam, rows: np.ndarray) -> Beam:
    """Return a copy of these rows of ``beam``, in this order."""
    return Beam(
        beam.recording.take(rows),
        beam.ends_blank.take(rows),
        beam.ends_label.take(rows),
        beam.total.take(rows),
        beam.extra.take(rows),
        beam.states.take(rows, axis=0),
        beam.last.take(rows),
        beam.state_hash.take(rows),
        beam.identity.take(rows),
        beam.parent.take(rows),
        beam.node.take(rows),
        beam.tree,
    )
