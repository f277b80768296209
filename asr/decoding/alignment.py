"""Forced alignment, which finds where the labels of a known text are in a recording.

It finds the most probable of all paths that spell the labels, by the Viterbi algorithm over the 2U + 1 states of
Graves et al. 2006, section 4.1 (a blank before, between and after the labels), with the maximum in place of the sum.

Recordings of hours can be aligned without guessing a band. The cost of a path at a frame is how much lower its
log-probability is than that of the best path without a text; the cost never falls from frame to frame. So once any
path to the end is known (a beam search finds one), every state that costs more than the final cost of that path can
be left out, and the best path is still certain to be found. Costs are kept only at the start of each block of frames,
and the backtrace is computed anew block by block. For T frames and at most W states kept at a frame, this takes about
6 W sqrt(T) bytes of memory in addition to the log-probabilities. Where text and recording agree, W is in the hundreds,
or a few thousand for recordings of hours; in the worst case, where they have nothing in common, W is 2U + 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from asr.arrays import LabelLogProbs, Labels
from asr.errors import AlignmentError
from asr.text import BLANK, frames_needed

_BEAM = 1000.0
"""How much more than the best state a state in the beam may cost, in natural logarithms: about a hundred labels."""

_TABLE = 1 << 22
"""The largest number of frames times states for which all costs are kept, at sixteen bytes each, and none is pruned."""

_NEVER = np.full(2, np.inf)

_Choices = tuple[np.ndarray, np.ndarray, np.ndarray]
_Way = tuple[int, np.ndarray]
"""The backtrace of one frame: its first state, and for each state how many states back the path was a frame before."""


@dataclass(frozen=True)
class LabelAlignment:
    """The position of each label of a text in a recording.

    Attributes:
        first: (U,) the output frame in which each label is first emitted, increasing.
        last: (U,) the last frame of the same run of the label; ``first[i] <= last[i] < first[i + 1]``.
        log_probs: (U,) the mean of each label's log-probability over these frames.
        score: the log-probability of the whole path, blanks included.
    """

    first: np.ndarray
    last: np.ndarray
    log_probs: np.ndarray
    score: float


def forced_alignment(log_probs: LabelLogProbs, labels: Sequence[int] | Labels) -> LabelAlignment:
    """Align ``labels`` with a recording by the most probable path that spells them.

    >>> probabilities = [[0.1, 0.9], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]]
    >>> found = forced_alignment(np.log(probabilities), [1, 1])
    >>> found.first.tolist(), found.last.tolist()
    ([0, 3], [1, 3])

    Args:
        log_probs: (T', V) natural logarithms, blank at 0.
        labels: (U,) the labels of the text, without blanks, each below V.

    Raises:
        AlignmentError: there are too few frames for the labels, ``log_probs`` is not two-dimensional, a label is
            outside 1 .. V - 1, or no path with a probability above zero spells the labels.
    """
    labels = np.asarray(labels, np.int64)
    _refuse(log_probs, labels)
    if not len(log_probs):
        return LabelAlignment(np.empty(0, int), np.empty(0, int), np.empty(0), 0.0)
    whole = len(log_probs) * (2 * len(labels) + 1) <= _TABLE
    path = _whole_path(log_probs, labels) if whole else _Search(log_probs, labels).best_path()
    emitted = np.take_along_axis(log_probs, _states(labels)[path][:, None], axis=1)[:, 0].astype(np.float64)
    frames = np.flatnonzero(path % 2)
    starts = np.flatnonzero(np.diff(path[frames], prepend=-1))
    counts = np.diff(starts, append=len(frames))
    return LabelAlignment(
        first=frames[starts],
        last=frames[starts + counts - 1],
        log_probs=np.add.reduceat(emitted[frames], starts) / counts if len(labels) else np.empty(0),
        score=float(emitted.sum()),
    )


def _refuse(log_probs: LabelLogProbs, labels: Labels) -> None:
    if log_probs.ndim != 2:
        raise AlignmentError(f"log_probs must be (T, V), got {log_probs.shape}")
    if len(labels) and not BLANK < labels.min() <= labels.max() < log_probs.shape[1]:
        raise AlignmentError(f"labels must be 1 to {log_probs.shape[1] - 1}, got {labels.min()} to {labels.max()}")
    if (needed := frames_needed(labels)) > len(log_probs):
        raise AlignmentError(
            f"{len(log_probs)} frames cannot spell {len(labels)} labels (needs {needed}); "
            "is this the recording's own text?"
        )


def _states(labels: np.ndarray) -> np.ndarray:
    """Return the label of each state (2U + 1,)."""
    states = np.full(2 * len(labels) + 1, BLANK, np.int64)
    states[1::2] = labels
    return states


def _skipping(labels: np.ndarray) -> np.ndarray:
    """Return the cost (2U + 1,) of skipping a state: zero from one label to a different one, else infinite."""
    costs = np.full(2 * len(labels) + 1, np.inf)
    costs[3::2][labels[1:] != labels[:-1]] = 0.0
    return costs


def _whole_path(log_probs: LabelLogProbs, labels: Labels) -> np.ndarray:
    """Return the state of each frame (T',), found with a table of the cost of each state at each frame."""
    states, skipping = _states(labels), _skipping(labels)
    emitting = (log_probs.max(axis=1, keepdims=True) - log_probs).astype(np.float64).take(states, axis=1)
    costs = np.full((len(emitting), len(states) + 2), np.inf)  # two unreachable states before the first
    costs[0, 2:4] = emitting[0, :2]
    for before, after, emits in zip(costs, costs[1:], emitting[1:], strict=False):
        reached = np.minimum(before[2:], before[1:-1])
        np.minimum(reached, before[:-2] + skipping, out=reached)
        np.add(reached, emits, out=after[2:])
    if np.isinf(costs[-1, -2:]).all():
        _nothing_spells_it()
    path = np.empty(len(emitting), np.int64)
    path[-1] = state = max(0, len(states) - 2) + int(costs[-1, max(2, len(states)) :].argmin())
    for t in range(len(emitting) - 2, -1, -1):
        skip, advance, stay = costs[t, state : state + 3].tolist()
        back = 1 if advance < stay else 0
        path[t] = state = state - (2 if skip + skipping[state] < min(stay, advance) else back)
    return path


@dataclass(frozen=True)
class _Front:
    """The costs (W,) of the states ``[low, low + W)`` at a frame; all other states are left out."""

    low: int
    cost: np.ndarray

    def within(self, limit: float) -> _Front | None:
        """Drop the states on either side that cost more than ``limit``; return None if none is left."""
        kept = np.flatnonzero(self.cost <= limit)
        if not len(kept):
            return None
        return _Front(self.low + int(kept[0]), self.cost[kept[0] : kept[-1] + 1])


class _Search:
    """The search over the costs of states from frame to frame, for one recording and one text."""

    def __init__(self, log_probs: LabelLogProbs, labels: Labels) -> None:
        self._costs = log_probs.max(axis=1, keepdims=True) - log_probs
        self._states = _states(labels)
        self._skipping = _skipping(labels)
        self._frames = len(log_probs)

    def best_path(self) -> np.ndarray:
        """Return the state of each frame (T',)."""
        block, limit = math.isqrt(8 * self._frames), self._cost_of_a_path()
        spans = [(start, min(start + block, self._frames)) for start in range(1, self._frames, block)]
        path = np.empty(self._frames, np.int64)
        front = self._first()
        fronts: list[_Front] = []
        ways: list[_Way] = []
        for span in spans:
            fronts.append(front)
            front, ways = self._forward(front, span, limit)
        path[-1] = self._end_state(front)
        for span, front in zip(reversed(spans), reversed(fronts), strict=True):
            ways = ways or self._forward(front, span, limit)[1]
            _go_back(ways, path[span[0] - 1 : span[1]])
            ways = []
        return path

    def _forward(self, front: _Front, span: tuple[int, int], limit: float) -> tuple[_Front, list[_Way]]:
        """Go through the frames ``[start, stop)`` of ``span``; return the last front and each frame's backtrace."""
        ways: list[_Way] = []
        for t in range(*span):
            low, choices = self._choices(front, t)
            ways.append((low, _shortest(*choices)))
            front = self._emit(low, choices, t)
            if limit < math.inf:
                front = front.within(limit) or _nothing_spells_it()
        return front, ways

    def _cost_of_a_path(self) -> float:
        """Return the cost of the path that a beam search finds, or infinity if it finds none."""
        front = self._first()
        for t in range(1, self._frames):
            ahead = self._emit(*self._choices(front, t), t)
            near = ahead.within(ahead.cost.min(initial=np.inf) + _BEAM)
            if near is None:
                return math.inf
            front = near
        return float(self._ends(front).min())

    def _first(self) -> _Front:
        """Return the front at the first frame, where only the first blank and the first label can be."""
        return _Front(0, self._costs[0, self._states[:2]].astype(np.float64))

    def _emit(self, low: int, choices: _Choices, t: int) -> _Front:
        best = np.minimum(np.minimum(choices[0], choices[1]), choices[2])
        return _Front(low, best + self._costs[t].take(self._states[low : low + len(best)]))

    def _choices(self, front: _Front, t: int) -> tuple[int, _Choices]:
        """Return the first state at frame ``t``, and the costs before emission by the three ways to reach each state.

        A state is reached from itself, from the state before it, or from the one before that. States that are too far
        back to reach the end are left out.
        """
        count = len(self._states)
        padded = np.concatenate((_NEVER, front.cost, _NEVER))
        low = max(front.low, count - 2 - 2 * (self._frames - 1 - t))
        here = slice(low - front.low, min(front.low + len(front.cost) + 2, count) - front.low)
        skip = padded[:-2][here] + self._skipping[low : front.low + here.stop]
        return low, (padded[2:][here], padded[1:-1][here], skip)

    def _ends(self, front: _Front) -> np.ndarray:
        """Return the costs of the last label and of the blank after it."""
        ends = np.full(2, np.inf)
        for i, state in enumerate((len(self._states) - 2, len(self._states) - 1)):
            if 0 <= state - front.low < len(front.cost):
                ends[i] = front.cost[state - front.low]
        return ends

    def _end_state(self, front: _Front) -> int:
        ends = self._ends(front)
        if np.isinf(ends).all():
            _nothing_spells_it()
        return len(self._states) - 2 + int(ends.argmin())


def _shortest(stay: np.ndarray, advance: np.ndarray, skip: np.ndarray) -> np.ndarray:
    """Return how many states back the cheapest of the three choices is; ties go to the nearest."""
    return np.where(skip < np.minimum(stay, advance), np.int8(2), (advance < stay).view(np.int8))


def _go_back(ways: Sequence[_Way], path: np.ndarray) -> None:
    """Fill ``path``, which is one frame longer than ``ways``, backwards from its last state."""
    for i in reversed(range(len(ways))):
        low, way = ways[i]
        path[i] = path[i + 1] - way[path[i + 1] - low]


def _nothing_spells_it() -> NoReturn:
    raise AlignmentError("the log-probabilities give every path that spells the text a probability of zero")
