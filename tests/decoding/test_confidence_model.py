"""The model of confidence against models the data were drawn from."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.decoding.confidence_model import ConfidenceModel
from asr.decoding.settings import DecoderSettings
from asr.errors import ConfigError

NAMES = ("letters_evidence", "letters")


def drawn(model: ConfidenceModel, count: int, seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Features of words, and marks that are right with the probability that the model says."""
    random = np.random.default_rng(seed)
    features = {
        "spelled": random.random(count),
        "letters_evidence": random.normal(-1, 3, count),
        "letters": random.integers(1, 12, count).astype(float),
    }
    return features, random.random(count) < model(features)


@pytest.mark.parametrize("weights", [(0.7, 0.2), (1.5, -0.3), (0.0, 0.0)])
def test_fit_finds_the_weights_again(weights: tuple[float, float]) -> None:
    model = ConfidenceModel(dict(zip(NAMES, weights, strict=True)), intercept=-0.5)
    found = ConfidenceModel.fit(drawn(model, 100_000)[0], NAMES, drawn(model, 100_000)[1])
    assert [found.weights[name] for name in NAMES] == pytest.approx(list(weights), abs=0.05)
    assert found.intercept == pytest.approx(-0.5, abs=0.1)


@given(st.lists(st.tuples(st.floats(-27, 27), st.integers(1, 20), st.booleans()), min_size=1, max_size=20))
def test_any_words_give_probabilities(words: list[tuple[float, int, bool]]) -> None:
    evidence, letters, correct = (np.array(column) for column in zip(*words, strict=True))
    features = {"spelled": evidence, "letters_evidence": evidence, "letters": letters.astype(float)}
    confidence = ConfidenceModel.fit(features, NAMES, correct)(features)
    assert ((confidence > 0) & (confidence < 1)).all()


def test_words_all_right_are_not_certain() -> None:
    features = {"spelled": np.ones(3), "letters_evidence": np.zeros(3), "letters": np.array([2.0, 3.0, 4.0])}
    model = ConfidenceModel.fit(features, NAMES, np.array([True, True, True]))
    assert model(features) == pytest.approx([4 / 5] * 3, abs=1e-3)


def test_a_word_has_the_same_confidence_among_any_others() -> None:
    features, _ = drawn(ConfidenceModel({}), 50)
    model = ConfidenceModel({"letters_evidence": 0.3, "letters": 0.1}, 0.7)
    alone = [model({name: values[i : i + 1] for name, values in features.items()})[0] for i in range(50)]
    assert model(features).tolist() == alone


def test_a_bundle_keeps_it() -> None:
    settings = DecoderSettings(confidence=(ConfidenceModel({"letters": 0.25}, -0.5), ConfidenceModel({}, 1.0)))
    assert DecoderSettings.from_json(json.loads(json.dumps(settings.to_json()))) == settings


@pytest.mark.parametrize("fault", [{"weights": {"letters": "much"}}, {"intercept": 0.0}, {"weights": {"a": math.nan}}])
def test_what_is_no_model_is_refused(fault: dict) -> None:
    with pytest.raises(ConfigError, match="confidence"):
        DecoderSettings.from_json(DecoderSettings().to_json() | {"confidence": [fault]})


def test_the_first_model_with_enough_evidence_says_it_and_the_letters_curve_where_there_is_none() -> None:
    every, some = ConfidenceModel({"letters": 0.0}, 2.0), ConfidenceModel({"letters_evidence": 0.0}, -2.0)
    settings = DecoderSettings(confidence=(every, some))
    words = {"spelled": np.array([0.25]), "letters_evidence": np.array([0.0])}
    assert settings.word_confidence(words | {"letters": np.array([1.0])}) == pytest.approx([0.881], abs=1e-3)
    assert settings.word_confidence(words) == pytest.approx([0.119], abs=1e-3)
    assert DecoderSettings().word_confidence(words) == pytest.approx([0.25])


def test_bundles_of_before_have_no_models() -> None:
    stored = DecoderSettings().to_json()
    del stored["confidence"]
    assert DecoderSettings.from_json(stored) == DecoderSettings()
