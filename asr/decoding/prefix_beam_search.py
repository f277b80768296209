"""Prefix beam search: the likeliest readings, each the sum over its paths (Hannun et al. 2014, algorithm 1).

The beam is a table of arrays, a row a prefix, so that a frame costs a few dozen numpy calls whatever its width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from asr.decoding.scorer import Scorer, ScorerSum
from asr.errors import VocabularyError
from asr.text import BLANK

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
"""Odd, its bits mixed: a prefix is told from another by a hash of 64 bits that grows with each label."""


@dataclass(frozen=True)
class BeamOptions:
    """How wide to search.

    Attributes:
        width: prefixes kept after each frame.
        threshold: prefixes this far below the best, in natural logarithms, are dropped.
        token_threshold: labels whose log-probability at a frame is lower do not extend prefixes there.
    """

    width: int = 64
    threshold: float = 15.0
    token_threshold: float = -6.0


@dataclass(frozen=True)
class Beam:
    """The prefixes that are left after some frames, W of them.

    Attributes:
        ends_blank: (W,) log-probability of all paths of the prefix that end in a blank.
        ends_label: (W,) the same, of those that end in its last label.
        extra: (W,) what the scorers have given so far.
        states: (W, S) of the scorers.
        last: (W,) last label, the blank for the empty prefix.
        identity, parent: (W,) hashes of the prefix, and of the prefix without its last label.
        node: (W,) place in ``tree``.
        tree: (node of the parent, label) of every prefix ever kept; only grows, so earlier beams stay valid.
    """

    ends_blank: np.ndarray
    ends_label: np.ndarray
    extra: np.ndarray
    states: np.ndarray
    last: np.ndarray
    identity: np.ndarray
    parent: np.ndarray
    node: np.ndarray
    tree: list[tuple[int, int]] = field(repr=False)

    @cached_property
    def total(self) -> np.ndarray:
        """(W,) log-probability of all paths of the prefix."""
        return np.logaddexp(self.ends_blank, self.ends_label)

    @cached_property
    def scores(self) -> np.ndarray:
        """(W,) log-probability and what the scorers gave."""
        return self.total + self.extra

    def labels(self, row: int) -> tuple[int, ...]:
        """The prefix of a row."""
        labels, node = [], int(self.node[row])
        while node:
            node, label = self.tree[node]
            labels.append(label)
        return tuple(reversed(labels))


class PrefixBeamSearch:
    """Searches log-probabilities, all at once or piece by piece: ``advance`` takes a beam and gives the next one."""

    def __init__(self, num_labels: int, scorers: Sequence[Scorer] = (), options: BeamOptions | None = None) -> None:
        """Search among ``num_labels`` labels, V, the blank included."""
        self.num_labels = num_labels
        self._scorer = ScorerSum(scorers)
        options = options or BeamOptions()
        # Where much is forbidden, what is left may be far below what the network would rather hear.
        forbids = self._scorer.constrains
        self.options = replace(options, threshold=np.inf, token_threshold=-np.inf) if forbids else options

    def start(self) -> Beam:
        """The empty prefix alone."""
        zero = np.zeros(1)
        return Beam(
            ends_blank=zero,
            ends_label=zero - np.inf,
            extra=zero,
            states=self._scorer.start()[np.newaxis],
            last=np.zeros(1, np.intp),
            identity=np.ones(1, np.uint64),
            parent=np.zeros(1, np.uint64),
            node=np.zeros(1, np.intp),
            tree=[(0, BLANK)],
        )

    def advance(self, beam: Beam, log_probs: np.ndarray) -> Beam:
        """The beam after the frames of ``log_probs`` (T, V), natural logarithms, blank at 0.

        Raises:
            VocabularyError: ``log_probs`` is not (T, V).
        """
        if log_probs.ndim != 2 or log_probs.shape[1] != self.num_labels:
            raise VocabularyError(f"log_probs must be (T, {self.num_labels}), got {log_probs.shape}")
        likely = log_probs >= self.options.token_threshold
        likely[:, BLANK] = False
        for frame, extends in zip(log_probs.astype(np.float64), likely, strict=True):
            labels = extends.nonzero()[0]
            beam = self._step(beam, frame, labels) if len(labels) else _stay(beam, frame)
        return beam

    def finish(self, beam: Beam, count: int = 1) -> list[tuple[tuple[int, ...], float]]:
        """The ``count`` best readings and their scores, best first; none where a grammar allows none."""
        scores = beam.scores + self._scorer.finish(beam.states)
        best = np.argsort(-scores, kind="stable")[:count]
        return [(beam.labels(row), float(scores[row])) for row in best.tolist() if scores[row] > -np.inf]

    def _step(self, beam: Beam, frame: np.ndarray, labels: np.ndarray) -> Beam:
        """One frame in which ``labels`` (K,) may extend prefixes."""
        stayed = _stay(beam, frame)
        longer = _extensions(beam, frame, labels)
        _merge_into_children(beam, stayed, longer, labels)
        rows, columns, scores = self._promising(stayed.scores, longer + beam.extra[:, np.newaxis])
        if not len(rows):
            return stayed
        added, states = self._scorer.extend(beam.states[rows], labels[columns])
        return self._select(stayed, rows, labels[columns], longer[rows, columns], scores + added, added, states)

    def _promising(self, stay: np.ndarray, extend: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows and columns of the extensions worth scoring, and their scores."""
        best = max(stay.max(initial=-np.inf), extend.max(initial=-np.inf))
        rows, columns = np.nonzero(extend > best - self.options.threshold)
        return rows, columns, extend[rows, columns]

    def _select(
        self,
        stayed: Beam,
        rows: np.ndarray,
        labels: np.ndarray,
        ends_label: np.ndarray,
        scores: np.ndarray,
        added: np.ndarray,
        states: np.ndarray,
    ) -> Beam:
        """The best of the prefixes that ``stayed`` and of those that grew by a label."""
        everyone = np.concatenate([stayed.scores, scores])
        kept = _best(everyone, self.options.width, self.options.threshold)
        count = int(kept.searchsorted(len(stayed.last)))
        old, new = kept[:count], kept[count:] - len(stayed.last)
        if not len(new):
            return _rows(stayed, old)
        rows, labels = rows[new], labels[new]
        parents = stayed.identity[rows]
        beam = _rows(stayed, np.concatenate([old, rows]))
        beam.ends_blank[count:] = -np.inf
        beam.ends_label[count:] = ends_label[new]
        beam.extra[count:] += added[new]
        beam.states[count:] = states[new]
        beam.last[count:] = labels
        beam.identity[count:] = parents * _MULTIPLIER + labels.astype(np.uint64)
        beam.parent[count:] = parents
        beam.node[count:] = np.arange(len(beam.tree), len(beam.tree) + len(new))
        beam.tree.extend(zip(stayed.node[rows].tolist(), labels.tolist(), strict=True))
        return beam


def _rows(beam: Beam, rows: np.ndarray) -> Beam:
    """A copy of these rows, in this order."""
    return Beam(
        beam.ends_blank.take(rows),
        beam.ends_label.take(rows),
        beam.extra.take(rows),
        beam.states.take(rows, axis=0),
        beam.last.take(rows),
        beam.identity.take(rows),
        beam.parent.take(rows),
        beam.node.take(rows),
        beam.tree,
    )


def _stay(beam: Beam, frame: np.ndarray) -> Beam:
    """Each prefix as it is: a blank more, or its last label again."""
    return Beam(
        beam.total + frame[BLANK],
        beam.ends_label + frame.take(beam.last),
        beam.extra,
        beam.states,
        beam.last,
        beam.identity,
        beam.parent,
        beam.node,
        beam.tree,
    )


def _extensions(beam: Beam, frame: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(W, K) log-probability of the paths that each label makes longer by itself at this frame.

    The last label again is a new one only after a blank.
    """
    again = beam.last[:, np.newaxis] == labels
    return np.where(again, beam.ends_blank[:, np.newaxis], beam.total[:, np.newaxis]) + frame.take(labels)


def _merge_into_children(beam: Beam, stayed: Beam, longer: np.ndarray, labels: np.ndarray) -> None:
    """Where an extension is a prefix that the beam has already, move its paths there."""
    column = labels.searchsorted(beam.last)
    rows = (labels.take(column, mode="clip") == beam.last).nonzero()[0]
    if not len(rows):
        return
    order = beam.identity.argsort()
    parents = order.take(beam.identity.searchsorted(beam.parent[rows], sorter=order), mode="clip")
    found = beam.identity[parents] == beam.parent[rows]
    children, at = rows[found], (parents[found], column[rows[found]])
    stayed.ends_label[children] = np.logaddexp(stayed.ends_label[children], longer[at])
    longer[at] = -np.inf


def _best(scores: np.ndarray, width: int, threshold: float) -> np.ndarray:
    """Places of the best ``width`` scores, in order, those too far below the best left out."""
    kept = (scores > scores.max(initial=-np.inf) - threshold).nonzero()[0]
    if len(kept) > width:
        kept = kept[(-scores[kept]).argpartition(width - 1)[:width]]
        kept.sort()
    return kept
