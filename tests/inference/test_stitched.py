"""Known utterances strung into one recording: what the cutter, the detector and the running normalisation cost."""

from __future__ import annotations

from pathlib import Path

import jiwer
import numpy as np
import pytest

import asr
from asr.audio import load_audio
from asr.corpora.prepare import prepare
from asr.data import Utterance, read_manifest
from asr.inference import texts

RATE = 16_000


def as_loud_as_its_pauses(samples: np.ndarray, seconds: float, random: np.random.Generator) -> np.ndarray:
    """Brown noise, slow waves removed, at the level of the quietest twentieth of ``samples``."""
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    level = np.percentile(np.sqrt((frames**2).mean(axis=1)), 5)
    walk = np.cumsum(random.normal(size=round(seconds * RATE)))
    walk -= np.convolve(walk, np.full(200, 1 / 200), mode="same")
    return (walk / walk.std() * level).astype(np.float32)


@pytest.fixture(scope="module")
def utterances(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Utterance]:
    folder = tmp_path_factory.mktemp("an4")
    prepare("an4", real_data / "an4", folder)
    test = list(read_manifest(folder / "test.jsonl"))
    return [test[i] for i in np.random.default_rng(0).permutation(len(test))]


@pytest.mark.real_data
@pytest.mark.parametrize("pause_s", [0.8, 3.0])
def test_a_recording_of_utterances_is_as_good_as_the_utterances(utterances: list[Utterance], pause_s: float) -> None:
    """Ten speakers in turn; within half a point of 6.0 % of words wrong."""
    model, random = asr.load_model(), np.random.default_rng(0)
    parts = []
    for samples in (load_audio(u.audio_filepath) for u in utterances):
        parts += [samples, as_loud_as_its_pauses(samples, pause_s, random)]
    reference = " ".join(u.text for u in utterances)
    alone = jiwer.wer(reference, " ".join(map(str, texts(model.transcribe_utterances(utterances)))))
    together = model.transcribe(np.concatenate(parts))
    assert jiwer.wer(reference, together.text) <= alone + 0.005
    assert len(together.segments) == pytest.approx(len(utterances), abs=6)
