"""Priors divided out of the network's probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from asr.arrays import LogProbs
from asr.decoding import BeamDecoder
from asr.decoding.priors import discount, log_priors
from asr.text import Vocabulary

VOCABULARY = Vocabulary((" ", "A", "B"))


def test_priors_are_the_mean_over_frames_and_not_over_recordings() -> None:
    few, many = np.log([[0.1, 0.2, 0.3, 0.4]]), np.log(np.full((3, 4), 0.25))
    assert np.exp(log_priors([few, many])) == pytest.approx([0.2125, 0.2375, 0.2625, 0.2875])


def test_a_label_that_never_is_has_a_finite_prior() -> None:
    with np.errstate(divide="ignore"):
        assert np.isfinite(log_priors([np.log([[1.0, 0.0]])])).all()


def test_the_commonest_label_keeps_its_probability_and_rare_ones_gain() -> None:
    taken = discount(np.log([0.6, 0.3, 0.1]), 0.5)
    assert taken is not None and taken.dtype == np.float32
    assert taken == pytest.approx([0.0, np.log(0.5) / 2, np.log(1 / 6) / 2])


@pytest.mark.parametrize(("priors", "scale"), [((), 0.5), ((-1.0, -2.0), 0.0)])
def test_without_priors_or_scale_nothing_is_taken(priors: tuple[float, ...], scale: float) -> None:
    assert discount(priors, scale) is None


def test_the_search_reads_what_is_left_and_frames_are_of_the_network() -> None:
    """B, rarer, wins where A was likelier by less than the discount; its frame is where it was likeliest."""
    log_probs = np.log([[0.8, 0.02, 0.1, 0.08], [0.1, 0.02, 0.48, 0.4]])
    taken = np.array([0.0, 0.0, 0.0, -0.5], np.float32)
    ((plain,),) = BeamDecoder(VOCABULARY).decode([LogProbs(log_probs)])
    ((less,),) = BeamDecoder(VOCABULARY, discount=taken).decode([LogProbs(log_probs)])
    assert (plain.text, less.text) == ("A", "B")
    assert less.frames == (1,)
    ((by_hand,),) = BeamDecoder(VOCABULARY).decode([LogProbs(log_probs - taken)])
    assert less.score == by_hand.score
