"""The forward-backward sums of CTC on a CPU, compiled by numba (Graves et al. 2006, section 4.1).

An utterance has U labels, with blanks before, between and after them: S = 2U + 1 states. A path visits every label
state and may skip the blank between two labels that differ. All sums are of logarithms, in float32, relative to the
best state of each frame, so that no length underflows. exp and log are polynomials here (error below 1e-6), because
calls into the C library cannot be vectorised.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from asr.models.cells.compiled import compiled
from asr.models.threads import threads
from asr.text.vocabulary import BLANK

_F = np.float32
_NEVER = _F(-1e30)
"""The logarithm that stands for probability zero: far below any real one, but finite."""

_TINY = _F(-60)
"""exp of this counts as zero; products of smaller numbers would be denormal, and a hundred times as slow."""

Number: TypeAlias = Any
"""A number whose type the compiler finds: float32, which Python's own arithmetic would not keep."""

_LOG2_E, _LN2_HIGH, _LN2_LOW = _F(1.4426950408889634), _F(0.693359375), _F(-2.12194440e-4)
_ONE, _E2, _E3, _E4, _E5, _E6, _E7 = (_F(1 / d) for d in (1, 2, 6, 24, 120, 720, 5040))
_A1, _A3, _A5, _A7, _A9, _A11 = (_F(2 / d) for d in (1, 3, 5, 7, 9, 11))
_CENTRE, _LOG_CENTRE = _F(1.75), _F(np.log(1.75))


@compiled
def _exp(x: Number) -> Number:
    """Compute e^x for x <= 0 as 2^n times a Taylor series within half of ln 2; return zero below ``_TINY``."""
    none = x < _TINY
    x = max(x, _TINY)
    n = np.floor(x * _LOG2_E + _F(0.5))
    r = x - n * _LN2_HIGH - n * _LN2_LOW
    p = _ONE + r * (_ONE + r * (_E2 + r * (_E3 + r * (_E4 + r * (_E5 + r * (_E6 + r * _E7))))))
    power = np.int32((np.int32(n) + np.int32(127)) << np.int32(23)).view(np.float32)
    return _F(0) if none else p * power


@compiled
def _log_1_to_3(x: Number) -> Number:
    """Compute the logarithm of a number from 1 to 3: log(1.75) + 2 atanh((x - 1.75) / (x + 1.75))."""
    z = (x - _CENTRE) / (x + _CENTRE)
    q = z * z
    return _LOG_CENTRE + z * (_A1 + q * (_A3 + q * (_A5 + q * (_A7 + q * (_A9 + q * _A11)))))


@compiled
def _states(labels: np.ndarray, states: np.ndarray, skips: np.ndarray) -> None:
    """Fill the label of each state (S,), and 0 where a path may come from two states before, else ``_NEVER``."""
    for s in range(len(states)):
        states[s] = labels[s // 2] if s % 2 else BLANK
        skips[s] = _F(0) if s % 2 and s > 1 and states[s] != states[s - 2] else _NEVER


@compiled
def _centred(row: np.ndarray) -> Number:
    """Subtract the maximum of ``row`` from it in place, and return that maximum."""
    high = _NEVER
    for value in row:
        high = max(high, value)
    for i in range(len(row)):
        row[i] = max(row[i] - high, _NEVER)
    return high


@compiled
def _log_softmax(logits: np.ndarray, out: np.ndarray) -> None:
    """Write the log-softmax of ``logits`` (T, V) into ``out`` (T, V)."""
    for t in range(len(logits)):
        high = logits[t, 0]
        for k in range(logits.shape[1]):
            high = max(high, logits[t, k])
        total = _F(0)
        for k in range(logits.shape[1]):
            total += _exp(logits[t, k] - high)
        shift = high + np.log(total)
        for k in range(logits.shape[1]):
            out[t, k] = logits[t, k] - shift


@compiled
def _step(before: np.ndarray, emitted: np.ndarray, skips: np.ndarray, row: np.ndarray) -> None:
    """Compute α_t(s) = y_t(l_s) (α_{t-1}(s) + α_{t-1}(s-1) + α_{t-1}(s-2) if allowed), as logarithms (eq. 6, 7).

    ``before`` (2 + S,) begins with two padding states that no path visits.
    """
    same, next_to, two_before = before[2:], before[1:], before
    for s in range(len(row)):  # separate from the next loop, or neither is vectorised
        row[s] = max(same[s], max(next_to[s], two_before[s] + skips[s]))
    for s in range(len(row)):
        high = row[s]
        total = _exp(same[s] - high) + _exp(next_to[s] - high) + _exp(two_before[s] + skips[s] - high)
        row[s] = emitted[s] + high + _log_1_to_3(total)


@compiled
def _sweep(emitted: np.ndarray, skips: np.ndarray, sums: np.ndarray) -> float:
    """Write log α less the maximum of each frame into ``sums`` (T, 2 + S); return the sum of these maxima."""
    total: float = 0.0
    sums[:, :2] = _NEVER
    sums[0, 2:] = _NEVER
    sums[0, 2] = emitted[0, 0]
    if len(skips) > 1:
        sums[0, 3] = emitted[0, 1]
    total += _centred(sums[0, 2:])
    for t in range(1, len(emitted)):
        _step(sums[t - 1], emitted[t], skips, sums[t, 2:])
        total += _centred(sums[t, 2:])
    return total


@compiled
def _one(logits: np.ndarray, labels: np.ndarray, gradient: np.ndarray) -> float:
    """Return the loss of an utterance's ``logits`` (T, V); fill ``gradient`` (T, V), with zeros if no path exists."""
    frames, size = logits.shape[0], 2 * len(labels) + 1
    log_probs = np.empty_like(logits)
    _log_softmax(logits, log_probs)
    states, skips = np.empty(size, np.int32), np.empty(size, np.float32)
    _states(labels, states, skips)
    emitted = np.empty((frames, size), np.float32)
    for t in range(frames):
        for s in range(size):
            emitted[t, s] = log_probs[t, states[s]]
    forward, back = np.empty((frames, size + 2), np.float32), np.empty((frames, size + 2), np.float32)
    total = _sweep(emitted, skips, forward)
    last, before_last = forward[-1, -1], forward[-1, -2]
    ends = max(last, before_last) + _log_1_to_3(_ONE + _exp(-abs(last - before_last)))
    if total + ends < _NEVER / 2:
        gradient[:] = 0
        return np.inf
    # The backward sums are forward sums over reversed frames and states; skips then need reversed labels too.
    reverse_states, reverse_skips = np.empty(size, np.int32), np.empty(size, np.float32)
    _states(labels[::-1], reverse_states, reverse_skips)
    _sweep(emitted[::-1, ::-1].copy(), reverse_skips, back)
    _fill(log_probs, states, emitted, forward, back, gradient)
    loss: float = -(total + ends)
    return loss


@compiled
def _fill(
    log_probs: np.ndarray,
    states: np.ndarray,
    emitted: np.ndarray,
    forward: np.ndarray,
    back: np.ndarray,
    gradient: np.ndarray,
) -> None:
    """Fill ∂L/∂logit = y_t(k) - the share of paths that are at label k in frame t (eq. 16)."""
    frames, size = emitted.shape
    at = np.empty(size, np.float32)
    for t in range(frames):
        for s in range(size):  # both factors contain the emission of frame t, so divide it out once
            at[s] = forward[t, 2 + s] + back[frames - 1 - t, 1 + size - s] - emitted[t, s]
        _centred(at)
        total = _F(0)
        for s in range(size):
            at[s] = _exp(at[s])
            total += at[s]
        for k in range(log_probs.shape[1]):
            gradient[t, k] = _exp(log_probs[t, k])
        for s in range(size):
            gradient[t, states[s]] -= at[s] / total


def losses_and_gradient(
    logits: np.ndarray, logit_lengths: np.ndarray, labels: np.ndarray, label_lengths: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Compute -log p(labels) (B,) and its gradient (B, T, V), zero in the padding, an utterance a job of ``threads()``.

    ``logits`` (B, T, V) float32, ``logit_lengths`` (B,), ``labels`` (B, U), ``label_lengths`` (B,) int32.
    """
    losses, gradient = np.empty(len(logits), np.float32), np.zeros_like(logits)

    def fill(b: int) -> None:
        frames, spelled = logit_lengths[b], label_lengths[b]
        if frames:
            losses[b] = _one(logits[b, :frames], labels[b, :spelled], gradient[b, :frames])
        else:
            losses[b] = np.inf if spelled else 0

    list(threads().map(fill, range(len(logits))))
    return losses, gradient
