"""Where long recordings are cut."""

from __future__ import annotations

import numpy as np
import pytest

from asr.inference.pieces import cut_at_quiet

HOP, RATE = 160, 16_000


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)


def cuts(samples: np.ndarray, max_s: float = 30.0) -> list[tuple[int, int]]:
    return cut_at_quiet(samples, RATE, HOP, max_s)


def test_thirty_seconds_are_one_piece_and_a_frame_more_is_two() -> None:
    longest_whole = noise(30)[: 2999 * HOP]
    assert cuts(longest_whole) == [(0, 3000)]
    assert len(cuts(np.pad(longest_whole, (0, HOP)))) == 2


@pytest.mark.parametrize("seconds", [30.01, 31, 45, 59.99, 60.5, 90, 119, 601])
def test_pieces_are_everything_none_too_long_none_tiny(seconds: float) -> None:
    pieces = cuts(noise(seconds))
    assert pieces[0][0] == 0 and pieces[-1][1] == 1 + round(seconds * RATE) // HOP
    assert all(a[1] == b[0] for a, b in zip(pieces, pieces[1:], strict=False))
    assert all(900 < stop - start <= 3000 for start, stop in pieces)


def test_the_cut_is_in_the_pause() -> None:
    samples = noise(50)
    pause = slice(round(27.0 * RATE), round(27.4 * RATE))
    samples[pause] *= 0.01
    (_, cut), _ = cuts(samples)
    assert 2700 < cut < 2740


def test_a_short_dip_is_no_pause() -> None:
    """20 ms between two sounds of a word against 300 ms between words."""
    samples = noise(50)
    samples[round(25.0 * RATE) : round(25.02 * RATE)] = 0
    samples[round(22.0 * RATE) : round(22.3 * RATE)] *= 0.1
    (_, cut), _ = cuts(samples)
    assert 2200 < cut < 2230


def test_silence_is_divided_evenly() -> None:
    pieces = cuts(np.zeros(60 * RATE, np.float32))
    assert [stop - start for start, stop in pieces] == [2000, 2000, 2001]
