"""Models of random weights, recordings of random sound, and a run folder of both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from asr.card import PartFigures
from asr.data import Utterance, write_manifest
from asr.features import LogMel, UtteranceCmvn
from asr.models import AcousticModel
from asr.provenance import provenance
from asr.run_record import DataFigures, RunRecord
from asr.text import Vocabulary
from asr.training.checkpoint import FINAL, save_arrays
from asr.training.setup import Setup, save_setup

CONVOLUTION = [{"filters": 3, "kernel": [5, 3], "stride": [3, 2]}, {"filters": 4, "kernel": [3, 3], "stride": [2, 1]}]
VOCABULARY = Vocabulary(tuple(" ABCDE"))

MakeModel = Callable[..., AcousticModel]


def random_model(cell: str = "lstm", num_features: int = 12, units: tuple[int, ...] = (6, 4), **options: Any) -> Any:
    """Every weight random, biases and normalisers too, so that one in the wrong place shows."""
    model = AcousticModel(
        num_features, len(VOCABULARY), cell=cell, units=units, **({"convolution": CONVOLUTION} | options)
    )
    rng = np.random.default_rng(0)
    for variable in model.variables:
        inputs = variable.shape[-2] if len(variable.shape) > 1 else 4
        variable.assign(rng.normal(0, inputs**-0.5, variable.shape))
    return model


@pytest.fixture(scope="session")
def make_model() -> MakeModel:
    return random_model


@pytest.fixture(scope="session")
def features() -> list[np.ndarray]:
    """A ragged batch: (T, 12) of several T, one of them a single frame."""
    rng = np.random.default_rng(1)
    return [rng.normal(0, 3, (frames, 12)).astype(np.float32) for frames in (23, 1, 8, 16, 2)]


@pytest.fixture(scope="session")
def keras_log_probs() -> Callable[[AcousticModel, np.ndarray], np.ndarray]:
    """Log-probabilities (T', V + P) of one utterance alone, by the trained model: of characters and of phones."""

    def log_probs(model: AcousticModel, x: np.ndarray) -> np.ndarray:
        logits = model(x[None], lengths=[len(x)])[0].numpy()
        parts = np.split(logits, [len(VOCABULARY)], axis=1)
        return np.concatenate([tf.nn.log_softmax(part).numpy() for part in parts if part.size], axis=1)

    return log_probs


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five recordings of 0.3 to 1.5 s by two speakers, noise that swells and fades."""
    folder = tmp_path_factory.mktemp("corpus") / "sounds"
    folder.mkdir()
    rng = np.random.default_rng(2)
    utterances = []
    for number, seconds in enumerate((0.3, 1.5, 0.8, 1.0, 0.5)):
        samples = rng.normal(0, 0.2, round(16000 * seconds)) * np.sin(np.linspace(0, 20, round(16000 * seconds)))
        soundfile.write(folder / f"{number}.wav", samples.clip(-1, 1), 16000)
        utterances.append(Utterance(f"u{number}", f"{number}.wav", seconds, "A BAD DEED", "ab"[number % 2]))
    write_manifest(folder / "test.jsonl", utterances)
    return folder / "test.jsonl"


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory, manifest: Path) -> Path:
    """What training leaves: set-up and final weights."""
    folder = tmp_path_factory.mktemp("runs") / "small"
    folder.mkdir()
    model = random_model(num_features=20, units=(16, 16))
    made = {"commit": "0123456789ab", "seed": 3, "date": "2026-11-24 12:00 UTC"}
    record = RunRecord(
        **provenance() | made,
        tensorflow="2",
        config={
            "data": {"train": [str(manifest)], "dev": None, "normaliser": "upper_letters"},
            "run_dir": str(folder),
        },
        data=DataFigures(PartFigures(5, 0.001, 2, "a"), PartFigures(0, 0.0, 0, "b")),
        parameters=1,
    )
    front_end = LogMel(n_mels=20).front_end()
    save_setup(folder, Setup(model, front_end, UtteranceCmvn(), VOCABULARY, "upper_letters", record), record)
    save_arrays(folder / FINAL, {f"{i:03}": np.asarray(v) for i, v in enumerate(model.variables)})
    return folder
