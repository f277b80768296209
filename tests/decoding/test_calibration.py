"""Calibration against curves the data were drawn from, and its measures against their definitions."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.decoding.calibration import Calibration, calibrate, expected_calibration_error, roc_area
from asr.errors import ConfigError, EvaluationError


def drawn(curve: Calibration, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Raw confidences, and marks that are right with the probability the curve says."""
    random = np.random.default_rng(seed)
    raw = random.uniform(0.01, 0.99, count)
    return raw, random.random(count) < curve(raw)


pairs = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30)


# The curve


@pytest.mark.parametrize("curve", [Calibration(), Calibration(0.7, 0.5), Calibration(2.0, -1.0)])
def test_fit_finds_the_curve_again(curve: Calibration) -> None:
    found = Calibration.fit(*drawn(curve, 100_000))
    assert (found.slope, found.intercept) == pytest.approx((curve.slope, curve.intercept), abs=0.05)


@given(st.lists(st.floats(0, 1), max_size=20))
def test_the_default_changes_nothing(raw: list[float]) -> None:
    assert Calibration()(np.array(raw)) == pytest.approx(np.array(raw), abs=1e-5)


@given(pairs)
def test_any_words_give_probabilities(words: list[tuple[float, bool]]) -> None:
    raw, correct = map(np.array, zip(*words, strict=True))
    calibrated = Calibration.fit(raw, correct)(np.array([0, 0.5, 1]))
    assert ((calibrated > 0) & (calibrated < 1)).all()


def test_words_all_right_are_not_certain() -> None:
    calibration = Calibration.fit(np.array([0.2, 0.9, 0.99]), np.array([True, True, True]))
    assert calibration(np.array([0.5])) == pytest.approx(4 / 5, abs=1e-4)


def test_no_words_change_nothing() -> None:
    assert Calibration.fit(np.empty(0), np.empty(0, bool)) == Calibration()


def test_it_survives_json() -> None:
    calibration = Calibration(0.7, -0.25)
    assert Calibration.from_json(json.loads(json.dumps(calibration.to_json()))) == calibration
    with pytest.raises(ConfigError, match="a calibration is"):
        Calibration.from_json({"slope": "steep", "intercept": 0})


# Its measures


@given(pairs)
def test_roc_area_is_the_share_of_pairs_in_order(words: list[tuple[float, bool]]) -> None:
    right, wrong = [c for c, mark in words if mark], [c for c, mark in words if not mark]
    ordered = [(r > w) + 0.5 * (r == w) for r, w in itertools.product(right, wrong)]
    confidence, correct = map(np.array, zip(*words, strict=True))
    found = roc_area(confidence, correct)
    assert found is None if not ordered else found == pytest.approx(np.mean(ordered))


@given(pairs)
def test_expected_calibration_error_is_its_definition(words: list[tuple[float, bool]]) -> None:
    error = 0.0
    for low in range(10):
        inside = [(c, mark) for c, mark in words if low <= 10 * c < low + 1 or (low == 9 and c == 1)]
        if inside:
            mean, share = np.mean(inside, axis=0)
            error += len(inside) / len(words) * abs(mean - share)
    confidence, correct = map(np.array, zip(*words, strict=True))
    assert expected_calibration_error(confidence, correct) == pytest.approx(error)


# By speaker


def of_speakers(curves: dict[str, Calibration], count: int) -> tuple[list[np.ndarray], list[np.ndarray], list[str]]:
    drawings = [drawn(curve, count, seed) for seed, curve in enumerate(curves.values())]
    return [raw for raw, _ in drawings], [correct for _, correct in drawings], list(curves)


def test_speakers_alike_are_calibrated_by_one_another() -> None:
    raw, correct, speakers = of_speakers({name: Calibration(0.5, 1.5) for name in "abcdef"}, 2000)
    report = calibrate(raw, correct, speakers)
    assert (report.words, report.wrong) == (12_000, int(sum((~c).sum() for c in correct)))
    assert report.error_before > 0.2 and report.error_after < 0.02
    assert report.calibration.slope == pytest.approx(0.5, abs=0.05)
    assert report.roc_area == roc_area(np.concatenate(raw), np.concatenate(correct))


def test_speakers_unlike_are_not_and_the_measure_says_so() -> None:
    """Fitted to all of them the curve looks good; each half judged by the other does not."""
    raw, correct, speakers = of_speakers({"a": Calibration(1, 3), "b": Calibration(1, -3)}, 2000)
    report = calibrate(raw, correct, speakers)
    fitted = report.calibration(np.concatenate(raw))
    assert expected_calibration_error(fitted, np.concatenate(correct)) < 0.05
    assert report.error_after > 0.5


def test_the_halves_follow_the_seed() -> None:
    raw, correct, speakers = of_speakers({name: Calibration(1, i / 2) for i, name in enumerate("abcdef")}, 200)
    errors = [calibrate(raw, correct, speakers, seed).error_after for seed in (0, 0, 1, 2, 3)]
    assert errors[0] == errors[1] and len(set(errors)) > 1


def test_what_cannot_be_calibrated() -> None:
    one, right = np.array([0.5]), np.array([True])
    with pytest.raises(EvaluationError, match=r"got only \['a'\]"):
        calibrate([one, one], [right, right], ["a", "a"])
    with pytest.raises(EvaluationError, match="2 utterances have no word"):
        calibrate([one[:0]] * 2, [right[:0]] * 2, ["a", "b"])
    for fault in ([one], [right, right], ["a"]), ([one], [np.array([True, True])], ["a"]), ([one], [right], ["a", "b"]):
        with pytest.raises(EvaluationError, match="each utterance needs its speaker"):
            calibrate(*fault)
