"""A test set in noise, in a room, by telephone: altered once, by each utterance's id, read by the same bundles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.audio import load_audio
from asr.data import Utterance
from asr.errors import ConfigError
from asr.recipe.conditions_stage import in_condition
from asr.recipe.evaluate_stage import EvaluationSet
from asr.recipe.plan import Condition

RATE = 16_000


@pytest.fixture
def test_set(tmp_path: Path) -> EvaluationSet:
    """Two utterances of one file, each read by another bundle: white noise of two loudnesses."""
    samples = np.random.default_rng(0).normal(0, 0.1, 4 * RATE)
    samples[2 * RATE :] *= 0.5
    soundfile.write(tmp_path / "both.wav", samples, RATE, subtype="FLOAT")
    one, two = (
        Utterance(i, str(tmp_path / "both.wav"), 2.0, "A", i, offset=o) for i, o in (("one", 0.0), ("two", 2.0))
    )
    return EvaluationSet("dev", [one, two], [(Path("a"), [one]), (Path("b"), [two])], "nobody")


def read(test: EvaluationSet) -> list[np.ndarray]:
    return [load_audio(u.audio_filepath, RATE) for u in test.utterances]


def share_above(samples: np.ndarray, hz: float) -> float:
    power = np.abs(np.fft.rfft(samples)) ** 2
    return float(power[np.fft.rfftfreq(len(samples), 1 / RATE) > hz].sum() / power.sum())


def test_the_telephone_takes_the_high_tones(test_set: EvaluationSet, tmp_path: Path) -> None:
    altered = in_condition(test_set, Condition("telephone", telephone=True), (), tmp_path / "conditions")
    assert altered.name == "dev, telephone"
    assert all(share_above(samples, 4000) < 0.01 for samples in read(altered))
    assert [len(samples) for samples in read(altered)] == [2 * RATE, 2 * RATE]
    assert [(bundle, [u.id for u in some]) for bundle, some in altered.readers] == [
        (Path("a"), ["one"]),
        (Path("b"), ["two"]),
    ]
    assert [(u.text, u.speaker, u.offset) for u in altered.utterances] == [("A", "one", 0.0), ("A", "two", 0.0)]


def test_noise_is_mixed_in_at_its_level(test_set: EvaluationSet, tmp_path: Path) -> None:
    tone = 0.1 * np.sin(2 * np.pi * 1000 * np.arange(5 * RATE) / RATE)
    soundfile.write(tmp_path / "tone.wav", tone, RATE)
    noisy = Condition("noise", snr_db=10, noise=[tmp_path / "*.wav"])
    altered = in_condition(test_set, noisy, [tmp_path / "tone.wav"], tmp_path / "conditions")
    clean = [load_audio(u.audio_filepath, RATE, offset_s=u.offset, duration_s=2) for u in test_set.utterances]
    for before, after in zip(clean, read(altered), strict=True):
        scale = np.dot(before, after) / np.dot(before, before)  # what would be clipped is softer
        snr_db = 10 * np.log10(np.mean((scale * before) ** 2) / np.mean((after - scale * before) ** 2))
        assert snr_db == pytest.approx(10, abs=0.3)


def test_recordings_are_altered_once(test_set: EvaluationSet, tmp_path: Path) -> None:
    room = Condition("room", rt60_s=0.5)
    first = read(in_condition(test_set, room, (), tmp_path / "conditions"))
    written = [path.stat().st_mtime_ns for path in sorted((tmp_path / "conditions").iterdir())]
    again = read(in_condition(test_set, room, (), tmp_path / "conditions"))
    assert written == [path.stat().st_mtime_ns for path in sorted((tmp_path / "conditions").iterdir())]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


@pytest.mark.parametrize(
    ("condition", "said"),
    [({}, "alters nothing"), ({"snr_db": 10}, "both snr_db and noise"), ({"noise": ["a"], "rt60_s": 1}, "both snr_db")],
)
def test_a_condition_that_makes_no_sense_is_refused(condition: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Condition("x", **condition)
