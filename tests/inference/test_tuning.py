"""Weights of a language model that helps, of one that harms, and a bundle that keeps what was found."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from asr.bundle import load_bundle
from asr.decoding import FusionWeights
from asr.inference.tuning import DevSet, Trial, tune_bundle
from asr.lm import train_ngram
from asr.text import Vocabulary

fake = runpy.run_path(str(Path(__file__).with_name("fake_bundle.py")))
VOCABULARY = Vocabulary(tuple(fake["CHARACTERS"]))
SENTENCES = ["A BAD CAB", "A CAB FACED A CAGE", "BAD CAGE", "A FACE"]


def misheard(text: str, random: np.random.Generator) -> np.ndarray:
    """Log-probabilities in which one letter of six has a rival that is a little likelier."""
    rows = np.full((2 * len(text), len(VOCABULARY)), 1e-4)
    rows[1::2, 0] = 1.0
    for row, letter in zip(rows[::2], text, strict=True):
        row[VOCABULARY.encode(letter)[0]] = 0.45
        if letter != " " and random.random() < 1 / 6:
            row[random.integers(2, len(VOCABULARY))] += 0.5
    return np.log(rows / rows.sum(axis=1, keepdims=True))


@pytest.fixture(scope="module")
def dev() -> DevSet:
    random = np.random.default_rng(0)
    texts = [text for text in SENTENCES for _ in range(6)]
    return DevSet([misheard(t, random) for t in texts], texts, [f"s{i % 3}" for i in range(len(texts))])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return fake["write_fake_bundle"](tmp_path / "tones")


def saved(texts: list[str], path: Path) -> Path:
    train_ngram(texts, order=2).save(path)
    return path


def test_a_model_that_knows_the_words_brings_errors_down_and_is_kept(dev: DevSet, folder: Path, tmp_path: Path) -> None:
    tried: list[Trial] = []
    model = saved(SENTENCES, tmp_path / "good.lm")
    tuned = tune_bundle(folder, dev, model, beam_width=8, processes=2, tried=tried.append)
    assert tuned.best is not None
    assert tuned.best.wer < tuned.greedy[0] / 2
    assert tuned.best.wer == min(trial.wer for trial in tried)
    bundle = load_bundle(folder)
    assert (bundle.decoder.weights, bundle.decoder.beam_width) == (tuned.best.weights, 8)
    assert bundle.decoder.calibration == tuned.calibration.calibration
    assert bundle.language_model and bundle.language_model.read_bytes() == model.read_bytes()
    assert bundle.card["decoder"]["dev"]["wer"] == tuned.best.wer


def test_a_model_of_other_words_is_given_little_weight(dev: DevSet, folder: Path, tmp_path: Path) -> None:
    tuned = tune_bundle(folder, dev, saved(["GAG DEAF", "EGG"], tmp_path / "bad.lm"), beam_width=8, processes=2)
    assert tuned.best is not None
    assert tuned.best.weights.alpha <= 0.4


def test_what_a_network_hears_too_seldom_is_brought_back_by_the_priors(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every letter is a little less likely than the blank, which half of the frames are rightly."""
    for grid, only in {"ALPHAS": 0.5, "BETAS": 0.0, "UNKNOWN_SCORES": -5.0}.items():
        monkeypatch.setattr(f"asr.inference.tuning.{grid}", (only,))
    texts = SENTENCES * 2
    log_probs = []
    for text in texts:
        rows = np.full((2 * len(text), len(VOCABULARY)), 1e-4)
        rows[1::2, 0] = 1.0
        rows[::2, 0] = 0.55
        rows[np.arange(0, len(rows), 2), VOCABULARY.encode(text)] = 0.45
        log_probs.append(np.log(rows / rows.sum(axis=1, keepdims=True)))
    dev = DevSet(log_probs, texts, [f"s{i % 3}" for i in range(len(texts))])
    tuned = tune_bundle(folder, dev, saved(SENTENCES, tmp_path / "good.lm"), beam_width=8, processes=1)
    assert tuned.best is not None and tuned.best.weights.prior_scale > 0
    assert tuned.best.wer < tuned.greedy[0] / 2
    assert load_bundle(folder).decoder.priors == pytest.approx(dev.priors)


def test_without_a_model_confidence_alone_is_calibrated(dev: DevSet, folder: Path) -> None:
    tuned = tune_bundle(folder, dev, None)
    bundle = load_bundle(folder)
    assert (tuned.best, bundle.language_model, bundle.decoder.weights) == (None, None, FusionWeights())
    assert bundle.decoder.calibration == tuned.calibration.calibration
    assert tuned.calibration.error_after < tuned.calibration.error_before


@pytest.mark.parametrize(("words", "left"), [(100, 10), (29, 10), (15, 5), (14, 5), (10, 4)])
def test_a_thinned_dev_set_keeps_enough_words(words: int, left: int) -> None:
    utterances = [f"{i} WORDS HERE" for i in range(10)]
    thinned = DevSet([np.zeros((1, 2))] * 10, utterances, utterances).thinned(words)
    assert len(thinned.references) == len(thinned.log_probs) == len(thinned.speakers) == left
    assert sum(len(r.split()) for r in thinned.references) >= min(words, 30)
