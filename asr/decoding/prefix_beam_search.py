"""Prefix beam search, which scores each hypothesis by the sum over its paths (Hannun et al. 2014, algorithm 1).

The beam is a table of arrays with one row for each prefix, so that a frame costs a few dozen numpy calls whatever the
width of the beam. The calls cost more than the rows; therefore recordings are searched side by side, in one table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from asr.arrays import LabelLogProbs
from asr.decoding.beam import Beam, BeamOptions, rows_of
from asr.decoding.beam_pruning import best_of_each
from asr.decoding.beam_selection import Longer, select
from asr.decoding.lattice import PrefixLattice
from asr.decoding.prefix_extension import extend, merge_into_children, stay
from asr.decoding.prefix_tree import PrefixTree
from asr.decoding.scorer import Scorer, ScorerSum
from asr.decoding.state_hash import SIDE_BY_SIDE, first_identities, state_hashes_of
from asr.errors import VocabularyError
from asr.text import BLANK

ScoredLabels = tuple[tuple[int, ...], float]
"""The labels (U,) of a hypothesis, and its score."""


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
        for at in range(0, len(by_length), SIDE_BY_SIDE):
            some = by_length[at : at + SIDE_BY_SIDE]
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
            identity=first_identities(recordings),
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
            yield rows_of(beam, (beam.recording == 0).nonzero()[0])
            beam = rows_of(beam, (beam.recording > 0).nonzero()[0])
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
            stayed = stay(beam, frame)
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
        extensions = extend(beam, frame, self._following(beam, extending))
        merge_into_children(beam, stayed, extensions, extending)
        scores = extensions.ends_label + beam.extra.take(extensions.rows)
        recording = beam.recording.take(extensions.rows)
        best = best_of_each(stayed.scores, stayed.recording, len(frame))
        best = np.maximum(best, best_of_each(scores, recording, len(frame)))
        least = self._least_to_enter(stayed, len(frame)).take(recording) - self._max_score.take(extensions.labels)
        least = np.maximum(least, (best - threshold).take(recording))
        places = (scores > least).nonzero()[0]
        rows, labels = extensions.rows.take(places), extensions.labels.take(places)
        added, states = self._scorer.extend(beam.states[rows], labels)
        state_hashes = state_hashes_of(labels, beam.last.take(rows) == labels, states)
        scores = scores.take(places) + added
        longer = Longer(rows, labels, extensions.ends_label.take(places), scores, added, states, state_hashes)
        return select(stayed, longer, self.options, threshold, resting)

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
