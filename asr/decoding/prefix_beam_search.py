"""Prefix beam search, which scores each hypothesis by the sum over its paths (Hannun et al. 2014, algorithm 1).

The beam is a table of arrays with one row for each prefix, so that a frame costs a few dozen numpy calls whatever the
width of the beam. The calls cost more than the rows; therefore recordings are searched side by side, in one table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from asr.arrays import LabelLogProbs
from asr.decoding.lattice import PrefixLattice
from asr.decoding.prefix_tree import PrefixTree
from asr.decoding.scorer import Scorer, ScorerSum
from asr.errors import VocabularyError
from asr.text import BLANK

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SEED = np.uint64(0xD1B54A32D192ED03)
"""The constants of the hashes; both are odd and have mixed bits.

Prefixes are told apart by a hash of 64 bits that begins with the number of the recording and grows with each label.
"""

_SHIFT = np.uint64(29)

_SIDE_BY_SIDE = 16
"""The number of recordings in one table; with more of them, the cost of the rows begins to matter."""

_SALTS = np.arange(1, _SIDE_BY_SIDE + 1, dtype=np.uint64) * _SEED
"""Salts, which tell the state hashes of different recordings in one table apart."""

ScoredLabels = tuple[tuple[int, ...], float]
"""The labels (U,) of a hypothesis, and its score."""


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


class PrefixBeamSearch:
    """A prefix beam search over log-probabilities, which are natural logarithms with the blank at 0.

    ``read`` searches whole recordings. ``advance`` searches one recording as it arrives: it takes a beam and returns
    the next one.
    """

    def __init__(self, num_labels: int, scorers: Sequence[Scorer] = (), options: BeamOptions | None = None) -> None:
        """Prepare a search over V = ``num_labels`` labels, the blank included."""
        self.num_labels = num_labels
        self._scorer = ScorerSum(scorers)
        self._max_score = np.broadcast_to(self._scorer.max_score, num_labels)
        options = options or BeamOptions()
        # Where the scorers forbid much, what they allow may score far below what the network prefers.
        forbids = self._scorer.constrains
        self.options = replace(options, threshold=np.inf, token_threshold=-np.inf) if forbids else options

    def read(self, log_probs: Sequence[LabelLogProbs], count: int = 1) -> list[list[ScoredLabels]]:
        """Return the ``count`` best hypotheses of each recording (T, V), the same as if it were searched alone.

        Raises:
            VocabularyError: one of ``log_probs`` is not (T, V).
        """
        for one in log_probs:
            self._check(one)
        by_length = sorted(range(len(log_probs)), key=lambda i: len(log_probs[i]))
        found: dict[int, list[ScoredLabels]] = {}
        for at in range(0, len(by_length), _SIDE_BY_SIDE):
            some = by_length[at : at + _SIDE_BY_SIDE]
            beams = self._side_by_side([log_probs[i] for i in some])
            found |= {i: self.finish(beam, count) for i, beam in zip(some, beams, strict=True)}
        return [found[i] for i in range(len(log_probs))]

    def with_lattice(self, log_probs: LabelLogProbs) -> tuple[Beam, PrefixLattice]:
        """Return the last beam of one recording (T, V), the same as in `read`, and the lattice of what was merged.

        Raises:
            VocabularyError: ``log_probs`` is not (T, V).
        """
        self._check(log_probs)
        lattice = PrefixLattice()
        beam = replace(self._start(1), tree=lattice)
        lattice.weigh(beam.node, beam.scores)
        return self._advance(beam, log_probs[:, np.newaxis]), lattice

    def start(self) -> Beam:
        """Return the beam before the first frame of one recording, which holds the empty prefix alone."""
        return self._start(1)

    def _start(self, recordings: int) -> Beam:
        zeros, none = np.zeros(recordings), np.zeros(recordings, np.intp)
        return Beam(
            recording=np.arange(recordings),
            ends_blank=zeros,
            ends_label=zeros - np.inf,
            total=zeros,
            extra=zeros,
            states=np.tile(self._scorer.start(), (recordings, 1)),
            last=none,
            state_hash=np.zeros(recordings, np.uint64),
            identity=np.arange(1, recordings + 1, dtype=np.uint64) * _SEED,
            parent=np.zeros(recordings, np.uint64),
            node=none,
            tree=PrefixTree(),
        )

    def advance(self, beam: Beam, log_probs: LabelLogProbs) -> Beam:
        """Return the beam of one recording after the frames of ``log_probs`` (T, V).

        Raises:
            VocabularyError: ``log_probs`` is not (T, V).
        """
        self._check(log_probs)
        return self._advance(beam, log_probs[:, np.newaxis])

    def final_scores(self, beam: Beam) -> np.ndarray:
        """Return the scores (W,) of a beam's prefixes if the recording ends with them."""
        found: np.ndarray = beam.scores + self._scorer.finish(beam.states)
        return found

    def finish(self, beam: Beam, count: int = 1) -> list[ScoredLabels]:
        """Return the ``count`` best hypotheses of one recording, best first; none if a grammar allows none."""
        scores = self.final_scores(beam)
        best = np.argsort(-scores, kind="stable")[:count]
        return [(beam.labels(row), float(scores[row])) for row in best.tolist() if scores[row] > -np.inf]

    def _check(self, log_probs: LabelLogProbs) -> None:
        if log_probs.ndim != 2 or log_probs.shape[1] != self.num_labels:
            raise VocabularyError(f"log_probs must be (T, {self.num_labels}), got {log_probs.shape}")

    def _side_by_side(self, log_probs: Sequence[LabelLogProbs]) -> Iterator[Beam]:
        """Yield the last beam of each recording, in order; ``log_probs`` must begin with the shortest.

        Of the recordings that are left, the shortest is always number 0.
        """
        beam, done = self._start(len(log_probs)), 0
        for number, shortest in enumerate(log_probs):
            frames = np.stack([one[done : len(shortest)] for one in log_probs[number:]], axis=1)
            beam, done = self._advance(beam, frames), len(shortest)
            yield _rows(beam, (beam.recording == 0).nonzero()[0])
            beam = _rows(beam, (beam.recording > 0).nonzero()[0])
            beam = replace(beam, recording=beam.recording - 1)

    def _advance(self, beam: Beam, frames: np.ndarray) -> Beam:
        """Return the beam of R recordings after ``frames`` (T, R, V)."""
        frames = frames.astype(np.float64)
        likely = frames >= self.options.token_threshold
        likely[:, :, BLANK] = False
        # Where no label extends a recording's prefixes, all of them are kept.
        extends: np.ndarray = np.any(likely, axis=2)
        thresholds = np.where(extends, self.options.threshold, np.inf)
        some, every = np.any(extends, axis=1).tolist(), np.all(extends, axis=1).tolist()
        for t, (frame, extending, threshold) in enumerate(zip(frames, likely, thresholds, strict=True)):
            stayed = _stay(beam, frame)
            if isinstance(beam.tree, PrefixLattice):
                beam.tree.stay(beam.node, beam.total, stayed.total)
            resting = None if every[t] else ~extends[t]
            beam = self._step(beam, stayed, frame, extending, threshold, resting) if some[t] else stayed
        return beam

    def _step(
        self,
        beam: Beam,
        stayed: Beam,
        frame: np.ndarray,
        extending: np.ndarray,
        threshold: np.ndarray,
        resting: np.ndarray | None,
    ) -> Beam:
        """Return the beam after one frame in which some labels extend prefixes.

        Args:
            beam: the beam before the frame.
            stayed: the prefixes of ``beam`` after the frame, without a new label; it is changed in place.
            frame: (R, V) the log-probabilities of the frame.
            extending: (R, V) which labels extend the prefixes of each recording.
            threshold: (R,) for each recording, as ``BeamOptions.threshold``.
            resting: (R,) the recordings whose prefixes no label extends; None if there are none.
        """
        extensions = _extensions(beam, frame, self._following(beam, extending))
        _merge_into_children(beam, stayed, extensions, extending)
        scores = extensions.ends_label + beam.extra.take(extensions.rows)
        recording = beam.recording.take(extensions.rows)
        best = _best_of_each(stayed.scores, stayed.recording, len(frame))
        best = np.maximum(best, _best_of_each(scores, recording, len(frame)))
        least = self._least_to_enter(stayed, len(frame)).take(recording) - self._max_score.take(extensions.labels)
        least = np.maximum(least, (best - threshold).take(recording))
        places = (scores > least).nonzero()[0]
        rows, labels = extensions.rows.take(places), extensions.labels.take(places)
        added, states = self._scorer.extend(beam.states[rows], labels)
        state_hashes = _state_hashes(labels, beam.last.take(rows) == labels, states)
        scores = scores.take(places) + added
        longer = _Longer(rows, labels, extensions.ends_label.take(places), scores, added, states, state_hashes)
        return _select(stayed, longer, self.options, threshold, resting)

    def _following(self, beam: Beam, extending: np.ndarray) -> np.ndarray:
        """Return which labels (W, V) may extend each prefix."""
        likely, allowed = extending.take(beam.recording, axis=0), self._scorer.allows(beam.states)
        return likely if allowed is None else likely & allowed

    def _least_to_enter(self, stayed: Beam, recordings: int) -> np.ndarray:
        """Return the score (R,) that an extension must exceed, with the most that the scorers may add, to be scored.

        If a recording has ``width`` prefixes without the extension, the extension has to beat the worst of them.
        """
        last = np.full(recordings, np.inf)
        np.minimum.at(last, stayed.recording, stayed.scores)
        full = np.bincount(stayed.recording, minlength=recordings) >= self.options.width
        return np.where(full, last, -np.inf)


@dataclass(frozen=True)
class _Longer:
    """N prefixes that extend prefixes of a beam by one label, with their scores.

    Attributes:
        rows: (N,) the rows in the beam of the prefixes without the label.
        labels: (N,) the label that was added.
        ends_label: (N,) the log-probability of their paths.
        scores: (N,) that log-probability plus what the scorers gave.
        added: (N,) what the scorers gave for the label.
        states: (N, S) the states of the scorers.
        state_hashes: (N,) as ``Beam.state_hash``.
    """

    rows: np.ndarray
    labels: np.ndarray
    ends_label: np.ndarray
    scores: np.ndarray
    added: np.ndarray
    states: np.ndarray
    state_hashes: np.ndarray


def _select(
    stayed: Beam, longer: _Longer, options: BeamOptions, threshold: np.ndarray, resting: np.ndarray | None
) -> Beam:
    """Return the best of the prefixes that ``stayed`` the same and of those that are ``longer`` by a label.

    If a recording is ``resting`` (R,) at this frame, all its prefixes are kept, as if it were searched alone.
    """
    everyone = np.concatenate([stayed.scores, longer.scores])
    recording = np.concatenate([stayed.recording, stayed.recording[longer.rows]])
    near = _near_the_best(everyone, recording, threshold)
    if resting is not None:
        near[: len(stayed.recording)] |= resting.take(stayed.recording)
    kept = near.nonzero()[0]
    near_places = kept
    if options.merge:
        state_hashes = np.concatenate([stayed.state_hash, longer.state_hashes]).take(kept)
        state_hashes ^= _SALTS.take(recording.take(kept))
        kept = kept[_best_of_each_state(state_hashes, everyone[kept])]
    if len(kept) > options.width:
        kept = _widest_of_each(kept, everyone, recording, len(threshold), options.width)
    beam = _grown(stayed, longer, kept)
    if isinstance(beam.tree, PrefixLattice):
        _remember(beam.tree, beam, kept, stayed, longer, everyone, near_places)
    return beam


def _remember(
    lattice: PrefixLattice,
    beam: Beam,
    kept: np.ndarray,
    stayed: Beam,
    longer: _Longer,
    everyone: np.ndarray,
    near: np.ndarray,
) -> None:
    """Record in ``lattice`` which places ``near`` of the scores ``everyone`` were merged into the places ``kept``."""
    lattice.weigh(beam.node, everyone.take(kept))
    others = np.setdiff1d(near, kept, assume_unique=True)
    order = beam.state_hash.argsort()
    state_hashes = np.concatenate([stayed.state_hash, longer.state_hashes]).take(others)
    winners = order.take(beam.state_hash.searchsorted(state_hashes, sorter=order), mode="clip")
    merged = (beam.state_hash.take(winners) == state_hashes).nonzero()[0]
    others, winners = others.take(merged), beam.node.take(winners.take(merged))
    edge = int(others.searchsorted(len(stayed.last)))
    whole, grown = others[:edge], others[edge:] - len(stayed.last)
    nodes = np.concatenate([stayed.node.take(whole), stayed.node.take(longer.rows.take(grown))])
    labels = np.concatenate([np.full(edge, BLANK), longer.labels.take(grown)])
    lattice.merge(winners, nodes, labels, everyone.take(others))


def _grown(stayed: Beam, longer: _Longer, kept: np.ndarray) -> Beam:
    """Return the prefixes at the places ``kept``, which count those that ``stayed`` and after them those ``longer``."""
    count = int(kept.searchsorted(len(stayed.last)))
    old, new = kept[:count], kept[count:] - len(stayed.last)
    if not len(new):
        return _rows(stayed, old)
    rows, labels = longer.rows[new], longer.labels[new]
    parents = stayed.identity[rows]
    beam = _rows(stayed, np.concatenate([old, rows]))
    beam.ends_blank[count:] = -np.inf
    beam.ends_label[count:] = beam.total[count:] = longer.ends_label[new]
    beam.extra[count:] += longer.added[new]
    beam.states[count:] = longer.states[new]
    beam.last[count:] = labels
    beam.state_hash[count:] = longer.state_hashes[new]
    beam.identity[count:] = parents * _MULTIPLIER + labels.astype(np.uint64)
    beam.parent[count:] = parents
    beam.node[count:] = beam.tree.add(stayed.node[rows], labels)
    return beam


def _rows(beam: Beam, rows: np.ndarray) -> Beam:
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


def _stay(beam: Beam, frame: np.ndarray) -> Beam:
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
class _Extensions:
    """N extensions of prefixes of a beam by one label; those of one prefix are side by side, with labels in order.

    Attributes:
        rows: (N,) the rows in the beam of the prefixes without the label.
        labels: (N,) the label that is added.
        ends_label: (N,) the log-probability of the paths that the label extends at this frame.
    """

    rows: np.ndarray
    labels: np.ndarray
    ends_label: np.ndarray


def _extensions(beam: Beam, frame: np.ndarray, following: np.ndarray) -> _Extensions:
    """Extend every prefix by every label that may follow it (W, V).

    The last label of a prefix extends only the paths that end in a blank; otherwise it is the same label repeated.
    """
    rows, labels = np.divmod(following.ravel().nonzero()[0], following.shape[1])
    again = beam.last.take(rows) == labels
    before = np.where(again, beam.ends_blank.take(rows), beam.total.take(rows))
    return _Extensions(rows, labels, before + frame[beam.recording.take(rows), labels])


def _merge_into_children(beam: Beam, stayed: Beam, extensions: _Extensions, extending: np.ndarray) -> None:
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


def _best_of_each(scores: np.ndarray, recording: np.ndarray, recordings: int) -> np.ndarray:
    """Return the best score (R,) of each recording."""
    best = np.full(recordings, -np.inf)
    np.maximum.at(best, recording, scores)
    return best


def _near_the_best(scores: np.ndarray, recording: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """Return which (N,) of the scores are less than ``threshold`` (R,) below the best of their recording."""
    least = _best_of_each(scores, recording, len(threshold)) - threshold
    found: np.ndarray = scores > least.take(recording)
    return found


def _state_hashes(labels: np.ndarray, doubled: np.ndarray, states: np.ndarray) -> np.ndarray:
    """Return the hashes (N,), as ``Beam.state_hash``, of prefixes that end in ``labels`` (N,) and have states (N, S).

    ``doubled`` (N,) tells which prefixes end in a doubled label.
    """
    hashes = (2 * labels + doubled).astype(np.uint64) * _MULTIPLIER
    for column in states.T:
        hashes = (hashes ^ (hashes >> _SHIFT)) * _MULTIPLIER + column.astype(np.uint64)
    found: np.ndarray = hashes * _MULTIPLIER
    return found


def _best_of_each_state(state_hashes: np.ndarray, scores: np.ndarray) -> np.ndarray:
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


def _widest_of_each(
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
