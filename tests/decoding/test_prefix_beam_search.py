"""Prefix beam search against sums over every path, and against itself in pieces."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.decoding import BeamOptions, PrefixBeamSearch
from asr.decoding.acceptor import Acceptor
from asr.decoding.grammar import phrases, word_sequences
from asr.decoding.hotwords import hotwords
from asr.decoding.scorer import Scorer, ScorerSum
from asr.errors import VocabularyError
from asr.text import Vocabulary

ABC = Vocabulary((" ", "A", "B", "C"))
EXACT = BeamOptions(width=100_000, threshold=np.inf, token_threshold=-np.inf, merge=False)


def decode(log_probs: np.ndarray, options: BeamOptions = EXACT, scorers=(), count: int = 100_000):
    search = PrefixBeamSearch(log_probs.shape[1], scorers, options)
    return search.finish(search.advance(search.start(), log_probs), count)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("frames", "labels"), [(1, 3), (5, 3), (6, 2), (6, 4)])
def test_a_wide_beam_gives_every_reading_the_sum_over_its_paths(
    seed: int, frames: int, labels: int, random_log_probs, sums_over_paths
) -> None:
    log_probs = random_log_probs(seed, frames, labels)
    found, wanted = dict(decode(log_probs)), sums_over_paths(log_probs)
    assert found.keys() == wanted.keys()
    for reading, score in wanted.items():
        assert found[reading] == pytest.approx(score, abs=1e-9)


def test_readings_come_best_first_and_as_many_as_asked(random_log_probs, sums_over_paths) -> None:
    log_probs = random_log_probs(7, 6, 4)
    ranked = sorted(sums_over_paths(log_probs).items(), key=lambda pair: -pair[1])
    assert [reading for reading, _ in decode(log_probs, count=5)] == [reading for reading, _ in ranked[:5]]


def test_the_best_reading_is_not_always_that_of_the_best_path() -> None:
    """Graves et al. 2006, figure 2: no path beats all blanks, yet A is likelier as a sum."""
    log_probs = np.log([[0.6, 0.4], [0.6, 0.4]])
    assert decode(log_probs, count=1) == [((1,), pytest.approx(np.log(0.64)))]


def test_no_frames_read_as_nothing() -> None:
    assert decode(np.empty((0, 3))) == [((), 0.0)]


@given(seed=st.integers(0, 10_000), width=st.integers(1, 12), cuts=st.lists(st.integers(0, 30), max_size=5))
def test_in_pieces_as_in_one(seed: int, width: int, cuts: list[int], random_log_probs) -> None:
    log_probs = random_log_probs(seed, 30, 5, sharpness=3.0)
    options = BeamOptions(width=width, threshold=12.0, token_threshold=-6.0)
    search = PrefixBeamSearch(5, options=options)
    beam = search.start()
    for piece in np.split(log_probs, sorted(cuts)):
        beam = search.advance(beam, piece)
    assert search.finish(beam, width) == decode(log_probs, options, count=width)


def test_a_beam_can_go_on_twice_from_the_same_frame(random_log_probs) -> None:
    log_probs = random_log_probs(3, 20, 5)
    search = PrefixBeamSearch(5, options=BeamOptions(width=8))
    middle = search.advance(search.start(), log_probs[:10])
    search.advance(middle, log_probs[:5])
    assert search.finish(search.advance(middle, log_probs[10:])) == decode(log_probs, BeamOptions(width=8), count=1)


@given(
    seed=st.integers(0, 10_000),
    lengths=st.lists(st.integers(0, 30), min_size=1, max_size=20),
    sharpness=st.sampled_from([1.0, 3.0, 6.0]),
)
@pytest.mark.parametrize("scorers", [[], [hotwords({"AB": 3.0}, ABC)], [phrases(["AB", "B A", "C"], ABC)]])
def test_side_by_side_as_one_by_one(
    scorers: list[Scorer], seed: int, lengths: list[int], sharpness: float, random_log_probs
) -> None:
    """Recordings of different lengths, more of them than one table takes; in some frames no label is likely."""
    log_probs = [random_log_probs(seed + i, n, 5, sharpness=sharpness) for i, n in enumerate(lengths)]
    search = PrefixBeamSearch(5, scorers, BeamOptions(width=6, threshold=8.0, token_threshold=-3.0))
    alone = [search.finish(search.advance(search.start(), one), 6) for one in log_probs]
    assert search.read(log_probs, 6) == alone


class Unbounded(Acceptor):
    """Says nothing of the most that it adds, so that every extension has to be scored."""

    max_score = np.inf


@given(seed=st.integers(0, 10_000), sharpness=st.sampled_from([1.0, 3.0]))
@pytest.mark.parametrize("weights", [{"AB": 5.0}, {"A": -2.0, "B A": 4.0}])
def test_extensions_are_left_unscored_only_where_they_could_not_win(
    weights: dict[str, float], seed: int, sharpness: float, random_log_probs
) -> None:
    log_probs, boost = random_log_probs(seed, 30, 5, sharpness=sharpness), hotwords(weights, ABC)
    unbounded = Unbounded(boost.next_state, boost.weights, boost.final)
    found, wanted = (decode(log_probs, BeamOptions(width=4), [scorer], count=4) for scorer in (boost, unbounded))
    assert found == wanted


@pytest.mark.parametrize("scorer", [hotwords({"AB": 3.0}, ABC), phrases(["AB", "B A", "C"], ABC)])
def test_what_an_acceptor_allows_is_what_it_gives_a_weight(scorer: Acceptor) -> None:
    states, labels = np.arange(len(scorer.next_state))[:, np.newaxis], np.arange(1, len(ABC))
    given = [scorer.extend(np.repeat(state[np.newaxis], len(labels), axis=0), labels)[0] for state in states]
    allowed = scorer.allows(states)
    assert (allowed is None) == (not scorer.constrains)
    if allowed is not None:
        np.testing.assert_array_equal(allowed[:, 1:], np.array(given) > -np.inf)
    both = ScorerSum([scorer, scorer]).allows(np.repeat(states, 2, axis=1))
    assert both is None if allowed is None else np.array_equal(both, allowed)


@given(seed=st.integers(0, 10_000))
def test_a_prefix_is_in_the_beam_once(seed: int, random_log_probs) -> None:
    """Also when it left the beam and came back while a longer one stayed."""
    log_probs = random_log_probs(seed, 40, 4, sharpness=1.0)
    readings = [reading for reading, _ in decode(log_probs, BeamOptions(width=5, threshold=np.inf, merge=False))]
    assert len(readings) == len(set(readings))


def test_a_letter_said_twice_grows_from_one_said_once() -> None:
    """Three frames in which the second O may be heard: each is less likely than a blank, all together are likelier."""
    often = [[0.7, 0.0, 0.0, 0.3]] * 3
    log_probs = np.log(np.maximum([[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0], *often], 1e-12))
    for merge in (False, True):
        ((labels, score),) = decode(log_probs, replace(EXACT, merge=merge), count=1)
        assert labels == (1, 3, 3)
        assert score == pytest.approx(np.log(1 - 0.7**3 - 0.3 * 0.7 * 0.3)), "all but none, and but two apart"


@pytest.mark.parametrize("seed", range(4))
def test_of_prefixes_with_one_future_the_best_is_kept(seed: int, random_log_probs) -> None:
    """What follows is scored by the last label and the scorers' states alone; the best reading is lost by neither."""
    scorers, log_probs = [hotwords({"AB": 3.0}, ABC)], random_log_probs(seed, 6, 4)
    exact = PrefixBeamSearch(4, scorers, EXACT)
    search = PrefixBeamSearch(4, scorers, replace(EXACT, merge=True))
    beam = search.advance(search.start(), log_probs)
    prefixes = [beam.labels(row) for row in range(len(beam.last))]
    doubled = [len(prefix) > 1 and prefix[-1] == prefix[-2] for prefix in prefixes]
    futures = Counter(zip(beam.last.tolist(), doubled, map(tuple, beam.states.tolist()), strict=True))
    assert set(futures.values()) == {1}
    ((labels, score),) = exact.finish(exact.advance(exact.start(), log_probs))
    ((found, lower),) = search.finish(beam)
    assert found == labels and lower <= score, "paths that the others would have led to it are lost"


def test_labels_below_the_token_threshold_extend_nothing() -> None:
    log_probs = np.log([[0.5, 0.49, 0.01]])
    assert dict(decode(log_probs, BeamOptions(token_threshold=np.log(0.02)))).keys() == {(), (1,)}
    assert dict(decode(log_probs, BeamOptions(token_threshold=np.log(0.009)))).keys() == {(), (1,), (2,)}


def test_prefixes_too_far_below_the_best_are_dropped() -> None:
    log_probs = np.log([[0.9, 0.09, 0.01]])
    assert dict(decode(log_probs, BeamOptions(threshold=np.log(91)))).keys() == {(), (1,), (2,)}
    assert dict(decode(log_probs, BeamOptions(threshold=np.log(89)))).keys() == {(), (1,)}


def test_the_wrong_number_of_labels_is_refused() -> None:
    with pytest.raises(VocabularyError, match=r"\(T, 3\), got \(4, 5\)"):
        PrefixBeamSearch(3).advance(PrefixBeamSearch(3).start(), np.zeros((4, 5)))


@pytest.mark.parametrize("seed", range(4))
def test_scorers_add_what_they_say_to_the_sum_over_paths(seed: int, random_log_probs, sums_over_paths) -> None:
    vocabulary = Vocabulary((" ", "A", "B"))
    log_probs = random_log_probs(seed, 6, 4)
    found = dict(decode(log_probs, scorers=[hotwords({"AB": 3.0}, vocabulary), hotwords({"B A": 1.5}, vocabulary)]))
    for reading, score in sums_over_paths(log_probs).items():
        text = f" {vocabulary.decode(reading)} ".replace(" ", "  ")
        double = " ".join(vocabulary.decode(reading).split(" "))
        bonus = 3.0 * text.count(" AB ") + 1.5 * f" {double} ".replace(" B A ", " B# A ").count("#")
        if " B A B A" not in f" {double}":
            assert found[reading] == pytest.approx(score + bonus, abs=1e-9), double


def test_only_the_phrases_of_a_grammar_are_read(random_log_probs, sums_over_paths) -> None:
    vocabulary = Vocabulary((" ", "A", "B"))
    log_probs = random_log_probs(1, 6, 4)
    found = decode(log_probs, scorers=[phrases(["AB", "B A", "BB"], vocabulary)])
    sums = sums_over_paths(log_probs)
    allowed = [tuple(vocabulary.encode(t).tolist()) for t in ("AB", "B A", "BB")]
    assert dict(found) == {reading: pytest.approx(sums[reading]) for reading in allowed}


def test_a_lexicon_allows_any_sequence_of_its_words(random_log_probs, sums_over_paths) -> None:
    vocabulary = Vocabulary((" ", "A", "B"))
    log_probs = random_log_probs(2, 6, 4)
    found = decode(log_probs, scorers=[word_sequences(["A", "AB"], vocabulary)])
    wanted = {
        reading: pytest.approx(score)
        for reading, score in sums_over_paths(log_probs).items()
        if all(word in ("A", "AB") for word in vocabulary.decode(reading).split(" "))
    }
    assert dict(found) == wanted


def test_a_word_the_network_hardly_hears_is_read_where_nothing_else_is_allowed() -> None:
    vocabulary = Vocabulary(("A", "B"))
    log_probs = np.log([[0.999, 0.00099, 0.00001]])
    grammar = [phrases(["B"], vocabulary)]
    assert decode(log_probs, BeamOptions(), scorers=grammar) == [((2,), pytest.approx(np.log(0.00001)))]


def test_a_grammar_that_allows_nothing_in_so_few_frames_gives_nothing(random_log_probs) -> None:
    assert decode(random_log_probs(0, 2, 3), scorers=[phrases(["ABA"], Vocabulary(("A", "B")))]) == []
