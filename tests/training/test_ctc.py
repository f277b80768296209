"""The loss is the sum over all V**T paths; its gradient is what differences give."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from asr.text import frames_needed
from asr.training.ctc import ctc_loss

V = 3


def collapse(path: tuple[int, ...]) -> tuple[int, ...]:
    """A path's labelling: repeats merged, then blanks removed (the map B of Graves et al. 2006)."""
    return tuple(k for k, _ in itertools.groupby(path) if k != 0)


def by_all_paths(logits: np.ndarray, labels: tuple[int, ...]) -> float:
    """-log p(labels) by adding up every path of length T."""
    log_probs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    paths = (p for p in itertools.product(range(V), repeat=len(logits)) if collapse(p) == labels)
    return -np.log(sum(np.exp(sum(log_probs[t, k] for t, k in enumerate(path))) for path in paths))


UTTERANCES = [(5, (1, 2)), (3, (1, 1)), (6, (2, 2, 1)), (1, (2,))]


def batch(extra_frames: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    lengths = np.array([t for t, _ in UTTERANCES], np.int32)
    logits = rng.normal(0, 2, (len(UTTERANCES), lengths.max(), V))
    logits = np.pad(logits, ((0, 0), (0, extra_frames), (0, 0)), constant_values=7)
    labels = np.full((len(UTTERANCES), 3), 2, np.int32)
    for row, (_, spelled) in zip(labels, UTTERANCES, strict=True):
        row[: len(spelled)] = spelled
    return logits.astype(np.float32), lengths, labels, np.array([len(s) for _, s in UTTERANCES], np.int32)


def test_equals_the_sum_over_all_paths() -> None:
    logits, lengths, *labels = batch()
    wanted = [by_all_paths(x[:t].astype(np.float64), u) for x, (t, u) in zip(logits, UTTERANCES, strict=True)]
    np.testing.assert_allclose(ctc_loss(logits, lengths, *labels), wanted, rtol=1e-5)


def test_padding_has_no_part_in_it() -> None:
    np.testing.assert_allclose(ctc_loss(*batch(extra_frames=4)), ctc_loss(*batch()), rtol=1e-6)


def test_gradient_equals_differences_of_the_sum_over_paths() -> None:
    logits, lengths, *labels = batch(extra_frames=1)
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(ctc_loss(variable, lengths, *labels))
    gradient = tape.gradient(total, variable).numpy()
    for row, (frames, spelled) in enumerate(UTTERANCES):
        own = logits[row, :frames].astype(np.float64)
        for place in np.ndindex(own.shape):
            shift = np.zeros_like(own)
            shift[place] = 1e-5
            difference = (by_all_paths(own + shift, spelled) - by_all_paths(own - shift, spelled)) / 2e-5
            assert gradient[row][place] == pytest.approx(difference, abs=1e-4)
        assert not gradient[row, frames:].any()


def test_a_repeat_needs_a_frame_more() -> None:
    """Two labels in two frames are possible when they differ; when equal they need three."""
    one = np.zeros((1, 2, V), np.float32)
    assert np.isfinite(ctc_loss(one, [2], [[1, 2]], [2]))[0]
    assert (frames_needed(np.array([1, 2])), frames_needed(np.array([1, 1]))) == (2, 3)
    assert np.isinf(ctc_loss(one, [2], [[1, 1]], [2]))[0]


def test_no_frames_spell_nothing_but_nothing() -> None:
    assert list(ctc_loss(np.zeros((2, 3, V), np.float32), [0, 0], [[1], [1]], [1, 0])) == [np.inf, 0]


def by_float64(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Loss and gradient by the sums of Graves et al. (eq. 6-16) in float64, as plainly as they stand."""
    log_probs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    states = np.zeros(2 * len(labels) + 1, int)
    states[1::2] = labels

    def sums(log_probs: np.ndarray, states: np.ndarray) -> np.ndarray:
        found = np.full((len(log_probs), len(states)), -np.inf)
        found[0, :2] = log_probs[0, states[:2]]
        for t in range(1, len(found)):
            for s in range(len(states)):
                skip = s > 1 and states[s] not in (0, states[s - 2])
                before = found[t - 1, max(0, s - 2 if skip else s - 1) : s + 1]
                found[t, s] = np.logaddexp.reduce(before) + log_probs[t, states[s]]
        return found

    forward, back = sums(log_probs, states), sums(log_probs[::-1], states[::-1])[::-1, ::-1]
    total = np.logaddexp.reduce(forward[-1, -2:])
    gradient = np.exp(log_probs)
    for s, label in enumerate(states):
        gradient[:, label] -= np.exp(forward[:, s] + back[:, s] - log_probs[:, label] - total)
    return -total, gradient


@pytest.mark.parametrize("scale", [1, 10, 40])
def test_stays_exact_where_paths_are_very_improbable(scale: float) -> None:
    """Logits this far apart give TensorFlow's float32 sums gradients that are off by one, or no loss at all."""
    rng = np.random.default_rng(1)
    logits, labels = rng.normal(0, scale, (1, 300, 29)).astype(np.float32), rng.integers(1, 29, (1, 100))
    with np.errstate(divide="ignore", invalid="ignore"):
        wanted, wanted_gradient = by_float64(logits[0].astype(np.float64), labels[0])
    variable = tf.Variable(logits)
    with tf.GradientTape() as tape:
        found = ctc_loss(variable, [300], labels, [100])
    assert found.numpy()[0] == pytest.approx(wanted, rel=1e-6)
    np.testing.assert_allclose(tape.gradient(found, variable).numpy()[0], wanted_gradient, atol=2e-4)
