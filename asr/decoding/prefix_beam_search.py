"""Prefix beam search: the likeliest readings, each the sum over its paths (Hannun et al. 2014, algorithm 1).

The beam is a table of arrays, a row a prefix, so that a frame costs a few dozen numpy calls whatever its width. The
calls cost more than the rows: so recordings are searched side by side, in one table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from asr.decoding.lattice import PrefixLattice
from asr.decoding.prefix_tree import PrefixTree
from asr.decoding.scorer import Scorer, ScorerSum
from asr.errors import VocabularyError
from asr.text import BLANK

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SEED = np.uint64(0xD1B54A32D192ED03)
"""Odd, their bits mixed: a prefix is told from another by a hash of 64 bits that begins with the number of its
recording and grows with each label."""

_SHIFT = np.uint64(29)

_SIDE_BY_SIDE = 16
"""Recordings in one table; with more, the rows begin to count."""

_SALTS = np.arange(1, _SIDE_BY_SIDE + 1, dtype=np.uint64) * _SEED
"""Tell state hashes of recordings in one table apart."""

Reading = tuple[tuple[int, ...], float]
"""Labels (U,) and their score."""


@dataclass(frozen=True)
class BeamOptions:
    """How wide to search.

    Attributes:
        width: prefixes kept after each frame.
        threshold: prefixes this far below the best, in natural logarithms, are dropped.
        token_threshold: labels whose log-probability at a frame is lower do not extend prefixes there.
        merge: of prefixes that end in the same label and have the same state for all scorers, so that what follows is
            worth the same after each, only the best is kept. The others' paths are lost to the sums.
    """

    width: int = 64
    threshold: float = 15.0
    token_threshold: float = -6.0
    merge: bool = True


@dataclass(frozen=True)
class Beam:
    """The prefixes that are left after some frames, W of them, of one recording or of several.

    Attributes:
        recording: (W,) whose prefix it is, from 0.
        ends_blank: (W,) log-probability of all paths of the prefix that end in a blank.
        ends_label: (W,) the same, of those that end in its last label.
        total: (W,) of all.
        extra: (W,) what the scorers have given so far.
        states: (W, S) of the scorers.
        last: (W,) last label, the blank for the empty prefix.
        state_hash: (W,) a hash of the last label and the scorers' states, on which all that may follow depends. It
            tells a doubled letter from a single one, which goes on to become it.
        identity, parent: (W,) hashes of the prefix, and of the prefix without its last label.
        node: (W,) place in ``tree``.
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
        """(W,) log-probability and what the scorers gave."""
        return self.total + self.extra

    def labels(self, row: int) -> tuple[int, ...]:
        """The prefix of a row."""
        return self.tree.labels(int(self.node[row]))


class PrefixBeamSearch:
    """Searches log-probabilities, natural logarithms, blank at 0.

    Of whole recordings with ``read``; of one as it comes with ``advance``, which takes a beam and gives the next one.
    """

    def __init__(self, num_labels: int, scorers: Sequence[Scorer] = (), options: BeamOptions | None = None) -> None:
        """Search among ``num_labels`` labels, V, the blank included."""
        self.num_labels = num_labels
        self._scorer = ScorerSum(scorers)
        self._max_score = np.broadcast_to(self._scorer.max_score, num_labels)
        options = options or BeamOptions()
        # Where much is forbidden, what is left may be far below what the network would rather hear.
        forbids = self._scorer.constrains
        self.options = replace(options, threshold=np.inf, token_threshold=-np.inf) if forbids else options

    def read(self, log_probs: Sequence[np.ndarray], count: int = 1) -> list[list[Reading]]:
        """The ``count`` best readings of each recording (T, V), the same as one by one.

        Raises:
            VocabularyError: one of ``log_probs`` is not (T, V).
        """
        for one in log_probs:
            self._check(one)
        by_length = sorted(range(len(log_probs)), key=lambda i: len(log_probs[i]))
        found: dict[int, list[Reading]] = {}
        for at in range(0, len(by_length), _SIDE_BY_SIDE):
            some = by_length[at : at + _SIDE_BY_SIDE]
            beams = self._side_by_side([log_probs[i] for i in some])
            found |= {i: self.finish(beam, count) for i, beam in zip(some, beams, strict=True)}
        return [found[i] for i in range(len(log_probs))]

    def with_lattice(self, log_probs: np.ndarray) -> tuple[Beam, PrefixLattice]:
        """Return the last beam of one recording (T, V), as `read` has it, and the lattice of what was merged.

        Raises:
            VocabularyError: ``log_probs`` is not (T, V).
        """
        self._check(log_probs)
        lattice = PrefixLattice()
        beam = replace(self._start(1), tree=lattice)
        lattice.weigh(beam.node, beam.scores)
        return self._advance(beam, log_probs[:, np.newaxis]), lattice

    def start(self) -> Beam:
        """The empty prefix of one recording."""
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

    def advance(self, beam: Beam, log_probs: np.ndarray) -> Beam:
        """The beam of one recording after the frames of ``log_probs`` (T, V).

        Raises:
            VocabularyError: ``log_probs`` is not (T, V).
        """
        self._check(log_probs)
        return self._advance(beam, log_probs[:, np.newaxis])

    def final_scores(self, beam: Beam) -> np.ndarray:
        """Return the scores (W,) of a beam's prefixes if the recording ends with them."""
        return beam.scores + self._scorer.finish(beam.states)

    def finish(self, beam: Beam, count: int = 1) -> list[Reading]:
        """The ``count`` best readings of one recording, best first; none where a grammar allows none."""
        scores = self.final_scores(beam)
        best = np.argsort(-scores, kind="stable")[:count]
        return [(beam.labels(row), float(scores[row])) for row in best.tolist() if scores[row] > -np.inf]

    def _check(self, log_probs: np.ndarray) -> None:
        if log_probs.ndim != 2 or log_probs.shape[1] != self.num_labels:
            raise VocabularyError(f"log_probs must be (T, {self.num_labels}), got {log_probs.shape}")

    def _side_by_side(self, log_probs: Sequence[np.ndarray]) -> Iterator[Beam]:
        """Yield the last beam of each recording; the shortest comes first, and is number 0 of those that are left."""
        beam, done = self._start(len(log_probs)), 0
        for number, shortest in enumerate(log_probs):
            frames = np.stack([one[done : len(shortest)] for one in log_probs[number:]], axis=1)
            beam, done = self._advance(beam, frames), len(shortest)
            yield _rows(beam, (beam.recording == 0).nonzero()[0])
            beam = _rows(beam, (beam.recording > 0).nonzero()[0])
            beam = replace(beam, recording=beam.recording - 1)

    def _advance(self, beam: Beam, frames: np.ndarray) -> Beam:
        """The beam of R recordings after ``frames`` (T, R, V)."""
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
        """One frame (R, V) in which some labels extend prefixes.

        Args:
            beam: before.
            stayed: its prefixes as they are after the frame, which is changed.
            frame: (R, V).
            extending: (R, V) which labels extend the prefixes of each recording.
            threshold: (R,) as ``BeamOptions.threshold``.
            resting: (R,) which recordings no label extends; None where there is no such.
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
        """(W, V) which labels may extend each prefix."""
        likely, allowed = extending.take(beam.recording, axis=0), self._scorer.allows(beam.states)
        return likely if allowed is None else likely & allowed

    def _least_to_enter(self, stayed: Beam, recordings: int) -> np.ndarray:
        """(R,) the score that an extension must have, with all that the scorers may add, to be worth asking them.

        Where a recording has ``width`` prefixes without it, it has to beat the last of them.
        """
        last = np.full(recordings, np.inf)
        np.minimum.at(last, stayed.recording, stayed.scores)
        full = np.bincount(stayed.recording, minlength=recordings) >= self.options.width
        return np.where(full, last, -np.inf)


@dataclass(frozen=True)
class _Longer:
    """Prefixes of a beam with a label more, N of them.

    Attributes:
        rows: (N,) of the prefixes before, in the beam.
        labels: (N,) what was added.
        ends_label: (N,) log-probability of their paths.
        scores: (N,) that and what the scorers gave.
        added: (N,) what the scorers gave for the label.
        states: (N, S) of the scorers.
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
    """The best of the prefixes that ``stayed`` and of those that grew by a label.

    Of a recording that is ``resting`` (R,) at this frame all are kept, as `_stay` would have it without a neighbour.
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
    """Note in ``lattice`` which of the places ``near`` (of the scores ``everyone``) were merged into those ``kept``."""
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
    """The prefixes at the places ``kept`` of those that ``stayed`` and, after them, of those that grew."""
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
    """A copy of these rows, in this order."""
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
    """Each prefix as it is: a blank more, or its last label again."""
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
    """The logarithm of ``exp(a) + exp(b)``, as `numpy.logaddexp` has it, without a branch for each number."""
    higher = np.maximum(a, b)
    with np.errstate(invalid="ignore"):
        lower = np.minimum(a, b) - higher
    return higher + np.log1p(np.exp(np.fmin(lower, 0.0)))


@dataclass(frozen=True)
class _Extensions:
    """Prefixes of a beam with a label more each, N of them, those of one prefix side by side, labels in order.

    Attributes:
        rows: (N,) of the prefixes before, in the beam.
        labels: (N,) what is added.
        ends_label: (N,) log-probability of the paths that the label makes longer by itself at this frame.
    """

    rows: np.ndarray
    labels: np.ndarray
    ends_label: np.ndarray


def _extensions(beam: Beam, frame: np.ndarray, following: np.ndarray) -> _Extensions:
    """Every prefix with every label that may follow (W, V); the last label again is new only after a blank."""
    rows, labels = np.divmod(following.ravel().nonzero()[0], following.shape[1])
    again = beam.last.take(rows) == labels
    before = np.where(again, beam.ends_blank.take(rows), beam.total.take(rows))
    return _Extensions(rows, labels, before + frame[beam.recording.take(rows), labels])


def _merge_into_children(beam: Beam, stayed: Beam, extensions: _Extensions, extending: np.ndarray) -> None:
    """Where an extension is a prefix that the beam has already, move its paths there."""
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
    """(R,) best score of each recording."""
    best = np.full(recordings, -np.inf)
    np.maximum.at(best, recording, scores)
    return best


def _near_the_best(scores: np.ndarray, recording: np.ndarray, threshold: np.ndarray) -> np.ndarray:
    """Which (N,) of the scores are not too far below the best of their recording."""
    least = _best_of_each(scores, recording, len(threshold)) - threshold
    return scores > least.take(recording)


def _state_hashes(labels: np.ndarray, doubled: np.ndarray, states: np.ndarray) -> np.ndarray:
    """(N,) as ``Beam.state_hash``, of prefixes that end with ``labels`` (N,) and have ``states`` (N, S)."""
    hashes = (2 * labels + doubled).astype(np.uint64) * _MULTIPLIER
    for column in states.T:
        hashes = (hashes ^ (hashes >> _SHIFT)) * _MULTIPLIER + column.astype(np.uint64)
    return hashes * _MULTIPLIER


def _best_of_each_state(state_hashes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Places, in order, of the best score of each state; of equal scores the first."""
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
"""Scores that a stable sort orders as fast as any other."""


def _best_first(scores: np.ndarray) -> np.ndarray:
    """Places (N,) of the scores (N,), the highest first, equal ones in order: no sort may choose between them.

    Of many scores a stable sort takes several times as long, and is needed only where two are the same.
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
    """Those of ``kept``, in order, that are among the best ``width`` scores of their recording, equal ones by place."""
    best_first = kept.take(_best_first(scores.take(kept)))
    whose = recording.take(best_first)
    by_recording = whose.astype(np.uint8).argsort(kind="stable")
    counts = np.bincount(whose, minlength=recordings)
    rank = np.arange(len(kept)) - (counts.cumsum() - counts).repeat(counts)
    kept = best_first.take(by_recording[rank < width])
    kept.sort()
    return kept
