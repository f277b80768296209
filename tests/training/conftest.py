"""The corpus of tones, and one run on it, trained until it makes no mistake."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from asr.cli.train import run_configured
from asr.training import dataset


@pytest.fixture(scope="session")
def tones() -> SimpleNamespace:
    """What tones.py defines."""
    return SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("tones.py"))))


@pytest.fixture(scope="session")
def corpus(tones: SimpleNamespace, made_once: Callable) -> Path:
    return made_once("tones", tones.make_corpus)


@pytest.fixture(scope="session")
def trained(tones: SimpleNamespace, corpus: Path, made_once: Callable) -> Path:
    """The folder of a run that is done."""

    def train(folder: Path) -> None:
        tree = tones.tree(
            corpus,
            folder,
            data={"batch_s": 3.0},
            augment={"time_stretch": 0.0, "time_masks": 0},
            model={"units": [16], "dropout": 0.0},
            optimizer={"learning_rate": 0.03},
            trainer={"epochs": 25, "average": 3},
        )
        assert run_configured(folder, tree, []) == "epochs"

    return made_once("trained", train)


@pytest.fixture(scope="session")
def hears_phones(tones: SimpleNamespace, corpus: Path, trained: Path, made_once: Callable) -> Path:
    """The folder of a run that began with ``trained`` and learned the phones as well."""

    def train(folder: Path) -> None:
        tree = tones.tree(
            corpus,
            folder,
            data={"batch_s": 3.0, "lexicon": str(corpus / "words.lexicon")},
            augment={"time_stretch": 0.0, "time_masks": 0},
            model={"units": [16], "dropout": 0.0},
            optimizer={"learning_rate": 0.03},
            trainer={"epochs": 15, "average": 3},
        )
        tree["init_from"] = str(trained)
        assert run_configured(folder, tree, []) == "epochs"

    return made_once("hears_phones", train)


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    return request.config.getoption("--kills")


@pytest.fixture
def kill_seed(request: pytest.FixtureRequest) -> int:
    return request.config.getoption("--kill-seed")


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the recordings that were decoded, not found in a cache."""
    paths: list[str] = []
    load = dataset.load_audio

    def noted(path: str, *args: Any, **kwargs: Any) -> np.ndarray:
        paths.append(path)
        return load(path, *args, **kwargs)

    monkeypatch.setattr(dataset, "load_audio", noted)
    return paths
