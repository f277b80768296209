"""The curve of bundles of before, and the measures of confidence against their definitions."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.decoding.calibration import Calibration, expected_calibration_error, roc_area
from asr.errors import ConfigError

pairs = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=30)


# The curve


@given(st.lists(st.floats(0, 1), max_size=20))
def test_the_default_changes_nothing(raw: list[float]) -> None:
    assert Calibration()(np.array(raw)) == pytest.approx(np.array(raw), abs=1e-5)


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
