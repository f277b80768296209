"""Forced alignment against every path there is, and against Viterbi written as a table."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.decoding import alignment
from asr.decoding.alignment import forced_alignment
from asr.errors import AlignmentError
from asr.text import frames_needed


def random_log_probs(seed: int, frames: int, size: int = 3, sharpness: float = 1.0) -> np.ndarray:
    logits = sharpness * np.random.default_rng(seed).normal(size=(frames, size))
    return (logits - np.log(np.exp(logits).sum(1, keepdims=True))).astype(np.float32)


def runs(path: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """(label, first frame, last frame) of each run of a path that is no blank."""
    found, start = [], 0
    for label, group in itertools.groupby(path):
        length = len(list(group))
        found += [(label, start, start + length - 1)] if label else []
        start += length
    return found


def by_enumeration(log_probs: np.ndarray, labels: list[int]) -> tuple[float, list[list[tuple[int, int, int]]]]:
    """The best score of all paths that spell ``labels``, and the runs of every path that has it."""
    frames, size = log_probs.shape
    spelling = [path for path in itertools.product(range(size), repeat=frames) if [r[0] for r in runs(path)] == labels]
    scores = [float(log_probs[range(frames), path].sum(dtype=np.float64)) for path in spelling]
    best = max(scores)
    return best, [runs(path) for path, score in zip(spelling, scores, strict=True) if score > best - 1e-9]


def by_table(log_probs: np.ndarray, labels: np.ndarray) -> tuple[float, list[int]]:
    """Score and state path of the textbook's Viterbi, the whole table kept."""
    states = np.zeros(2 * len(labels) + 1, int)
    states[1::2] = labels
    table = np.full((len(log_probs), len(states)), -np.inf)
    back = np.zeros(table.shape, int)
    table[0, :2] = log_probs[0, states[:2]]
    for t in range(1, len(log_probs)):
        for s in range(len(states)):
            skips = s > 1 and states[s] != 0 and states[s] != states[s - 2]
            ways = range(s, max(s - (3 if skips else 2), -1), -1)
            back[t, s] = max(ways, key=lambda way: table[t - 1, way])
            table[t, s] = table[t - 1, back[t, s]] + log_probs[t, states[s]]
    path = [max(range(max(len(states) - 2, 0), len(states)), key=lambda s: table[-1, s])]
    for t in range(len(log_probs) - 1, 0, -1):
        path.append(back[t, path[-1]])
    return float(table[-1, path[0]]), path[::-1]


@given(st.integers(0, 10**6), st.integers(1, 7), st.lists(st.integers(1, 2), max_size=4))
def test_it_is_the_best_of_all_paths(seed: int, frames: int, labels: list[int]) -> None:
    log_probs = random_log_probs(seed, frames)
    if frames_needed(labels) > frames:
        with pytest.raises(AlignmentError, match=f"{frames} frames cannot spell {len(labels)} labels"):
            forced_alignment(log_probs, labels)
        return
    best, readings = by_enumeration(log_probs, labels)
    found = forced_alignment(log_probs, labels)
    assert found.score == pytest.approx(best, abs=1e-5)
    assert list(zip(labels, found.first, found.last, strict=True)) in readings


def test_fewest_frames_and_one_less() -> None:
    labels = [1, 1, 2, 2, 2]
    assert frames_needed(labels) == 8
    found = forced_alignment(random_log_probs(0, 8), labels)
    assert found.first.tolist() == found.last.tolist() == [0, 2, 3, 5, 7]
    with pytest.raises(AlignmentError, match=r"7 frames cannot spell 5 labels \(needs 8\)"):
        forced_alignment(random_log_probs(0, 7), labels)


def test_no_labels_are_all_blank() -> None:
    log_probs = random_log_probs(3, 5)
    found = forced_alignment(log_probs, [])
    assert (len(found.first), len(found.last), len(found.log_probs)) == (0, 0, 0)
    assert found.score == pytest.approx(log_probs[:, 0].sum())
    assert forced_alignment(np.empty((0, 3)), []).score == 0


def test_log_probs_are_the_mean_over_the_run() -> None:
    log_probs = np.log([[0.1, 0.9], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]])
    found = forced_alignment(log_probs, [1, 1])
    assert found.log_probs == pytest.approx([np.log([0.9, 0.8]).mean(), np.log(0.6)])
    assert found.score == pytest.approx(np.log([0.9, 0.8, 0.7, 0.6]).sum())


@pytest.mark.parametrize("labels", [[0], [1, 3], [-1]])
def test_labels_outside_the_vocabulary(labels: list[int]) -> None:
    with pytest.raises(AlignmentError, match="labels must be 1 to 2, got"):
        forced_alignment(random_log_probs(0, 9), labels)


def test_log_probs_of_another_shape() -> None:
    with pytest.raises(AlignmentError, match=r"must be \(T, V\), got \(4,\)"):
        forced_alignment(np.zeros(4), [1])


def test_a_text_of_probability_zero() -> None:
    log_probs = np.log([[0.5, 0.5], [0.5, 0.5]], dtype=np.float32)
    forced_alignment(log_probs, [1])
    with np.errstate(divide="ignore"), pytest.raises(AlignmentError, match="a probability of zero"):
        forced_alignment(np.log(np.array([[1.0, 0.0], [1.0, 0.0]])), [1])


# Long recordings


@pytest.mark.parametrize("beam", [1000.0, 20.0, 0.5])
@pytest.mark.parametrize("sharpness", [1.0, 4.0])
def test_leaving_states_out_changes_nothing(monkeypatch, beam: float, sharpness: float) -> None:
    """A beam so narrow that it finds a bad path, or none, still gives the best path; blocks join without a seam."""
    monkeypatch.setattr(alignment, "_BEAM", beam)
    monkeypatch.setattr(alignment, "_TABLE", 0)
    for seed in range(3):
        random = np.random.default_rng(seed)
        log_probs = random_log_probs(seed, 150, 5, sharpness)
        labels = random.integers(1, 5, 40)
        score, path = by_table(log_probs, labels)
        found = forced_alignment(log_probs, labels)
        assert found.score == pytest.approx(score, rel=1e-6)
        assert found.first.tolist() == [path.index(2 * i + 1) for i in range(40)]


def spiky(labels: np.ndarray, every: int, seed: int, wrong: float) -> np.ndarray:
    """Log-probabilities in which each label is seen once in ``every`` frames, a share of them as another label."""
    random = np.random.default_rng(seed)
    seen = np.where(random.random(len(labels)) < wrong, random.integers(1, 29, len(labels)), labels)
    logits = random.normal(size=(every * len(labels), 29)).astype(np.float32)
    logits[:, 0] += 8
    logits[np.arange(len(labels)) * every + random.integers(0, every, len(labels)), seen] += 16
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


def test_small_and_large_are_the_same(monkeypatch) -> None:
    log_probs = random_log_probs(5, 90, 5)
    labels = np.random.default_rng(5).integers(1, 5, 20)
    small = forced_alignment(log_probs, labels)
    monkeypatch.setattr(alignment, "_TABLE", 0)
    large = forced_alignment(log_probs, labels)
    assert (small.first.tolist(), small.last.tolist()) == (large.first.tolist(), large.last.tolist())


def test_minutes_need_little_memory() -> None:
    """Three minutes at 30 ms, 1500 labels, one in twenty misheard: 18 MB as a table of bytes."""
    labels = np.random.default_rng(1).integers(1, 29, 1500)
    log_probs = spiky(labels, every=4, seed=1, wrong=0.05)
    tracemalloc.start()
    found = forced_alignment(log_probs, labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3e6
    assert np.mean(found.first // 4 == np.arange(1500)) > 0.9


def test_a_long_silence_is_no_hindrance() -> None:
    """The words are in the last tenth: no path near the diagonal would do."""
    labels = 1 + np.arange(300) % 28
    silence = spiky(np.zeros(2700, int), every=4, seed=3, wrong=0.0)
    found = forced_alignment(np.concatenate([silence, spiky(labels, every=4, seed=2, wrong=0.0)]), labels)
    assert (found.first // 4 == 2700 + np.arange(300)).all()
