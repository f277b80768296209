"""Weights of a language model that helps, of one that harms, and a bundle that keeps what helps."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from asr.arrays import LogProbs
from asr.bundle import load_bundle
from asr.decoding import FusionWeights
from asr.errors import ConfigError, LanguageModelError
from asr.files import sha256_of
from asr.lm import Pronunciations, train_ngram
from asr.text import Lexicon, Vocabulary
from asr.tuning import DevSet, Search, Trial, find_weights, tune_bundle
from asr.tuning.tune import BY_PHONES, GREEDY

fake = runpy.run_path(str(Path(__file__).parents[1] / "inference" / "fake_bundle.py"))
VOCABULARY = Vocabulary(tuple(fake["CHARACTERS"]))
SENTENCES = ["A BAD CAB", "A CAB FACED A CAGE", "BAD CAGE", "A FACE"]


def misheard(text: str, random: np.random.Generator) -> np.ndarray:
    """Log-probabilities in which one letter of six has a rival that is a little likelier."""
    return spelled(text, rival=lambda: random.integers(2, len(VOCABULARY)) if random.random() < 1 / 6 else None)


def spelled(text: str, letters: int = 0, rival: Callable[[], int | None] = lambda: None) -> np.ndarray:
    """Log-probabilities of a letter every other frame, each but spaces with what ``rival`` says; blanks between.

    After it, blanks, as if it had as many as ``letters``.
    """
    rows = np.full((2 * max(len(text), letters), len(VOCABULARY)), 1e-4)
    rows[1::2, 0] = rows[2 * len(text) :, 0] = 1.0
    for row, letter in zip(rows[::2], text, strict=False):
        row[VOCABULARY.encode(letter)[0]] = 0.45
        if letter != " " and (other := rival()) is not None:
            row[other] += 0.5
    return np.log(rows / rows.sum(axis=1, keepdims=True))


@pytest.fixture(scope="module")
def dev() -> DevSet:
    random = np.random.default_rng(0)
    texts = [text for text in SENTENCES for _ in range(6)]
    return DevSet([LogProbs(misheard(t, random)) for t in texts], texts, [f"s{i % 3}" for i in range(len(texts))])


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
    assert bundle.decoder.confidence == tuned.confidence.models
    assert bundle.language_model and bundle.language_model.read_bytes() == model.read_bytes()
    assert bundle.card.decoder and bundle.card.decoder.dev.wer == tuned.best.wer


def test_a_model_of_other_words_is_given_little_weight(dev: DevSet, folder: Path, tmp_path: Path) -> None:
    tuned = tune_bundle(folder, dev, saved(["GAG DEAF", "EGG"], tmp_path / "bad.lm"), beam_width=8, processes=2)
    assert tuned.best is not None
    assert tuned.best.weights.alpha <= 0.4


def test_a_model_that_brings_no_fewer_errors_is_left_out(
    dev: DevSet, folder: Path, tmp_path: Path, few_choices: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights of which all force its words upon what was said."""
    for grid, only in {"ALPHAS": 3.0, "BETAS": 3.0, "UNKNOWN_SCORES": -60.0, "PRIOR_SCALES": 0.0}.items():
        monkeypatch.setattr(f"asr.tuning.search.{grid}", (only,))
    bad = saved(["GAG DEAF", "EGG"], tmp_path / "bad.lm")
    tuned = tune_bundle(folder, dev, bad, beam_width=8)
    assert tuned.best is not None
    assert tuned.best.wer >= tuned.greedy[0] and tuned.way == GREEDY
    bundle = load_bundle(folder)
    assert (bundle.language_model, bundle.decoder.weights) == (None, FusionWeights())
    assert bundle.decoder.confidence == tuned.confidence.models
    assert bundle.card.decoder and bundle.card.decoder.left_out
    assert bundle.card.decoder.left_out.language_model_sha256 == sha256_of(bad)


def test_of_one_speaker_a_bundle_is_tuned_all_the_same(dev: DevSet, folder: Path, tmp_path: Path) -> None:
    alone = DevSet(dev.log_probs, dev.references, ["anna"] * len(dev.references))
    tuned = tune_bundle(folder, alone, saved(SENTENCES, tmp_path / "good.lm"), beam_width=8, processes=2)
    assert tuned.confidence.measured_on == "utterances" and tuned.confidence.recorded is not None
    assert load_bundle(folder).language_model is not None


def test_what_a_network_hears_too_seldom_is_brought_back_by_the_priors(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every letter is a little less likely than the blank, which half of the frames are rightly."""
    for grid, only in {"ALPHAS": 0.5, "BETAS": 0.0, "UNKNOWN_SCORES": -5.0}.items():
        monkeypatch.setattr(f"asr.tuning.search.{grid}", (only,))
    texts = SENTENCES * 2
    log_probs = []
    for text in texts:
        rows = np.full((2 * len(text), len(VOCABULARY)), 1e-4)
        rows[1::2, 0] = 1.0
        rows[::2, 0] = 0.55
        rows[np.arange(0, len(rows), 2), VOCABULARY.encode(text)] = 0.45
        log_probs.append(LogProbs(np.log(rows / rows.sum(axis=1, keepdims=True))))
    dev = DevSet(log_probs, texts, [f"s{i % 3}" for i in range(len(texts))])
    tuned = tune_bundle(folder, dev, saved(SENTENCES, tmp_path / "good.lm"), beam_width=8, processes=1)
    assert tuned.best is not None and tuned.best.weights.prior_scale > 0
    assert tuned.best.wer < tuned.greedy[0] / 2
    assert load_bundle(folder).decoder.priors == pytest.approx(dev.priors)


def test_without_a_model_confidence_alone_is_calibrated(dev: DevSet, folder: Path) -> None:
    tuned = tune_bundle(folder, dev, None)
    bundle = load_bundle(folder)
    assert (tuned.best, bundle.language_model, bundle.decoder.weights) == (None, None, FusionWeights())
    assert bundle.decoder.confidence == tuned.confidence.models
    assert tuned.confidence.recorded is not None
    assert tuned.confidence.recorded.calibration < tuned.confidence.recorded.before


@pytest.mark.parametrize(("words", "left"), [(100, 10), (29, 10), (15, 5), (14, 5), (10, 4)])
def test_a_thinned_dev_set_keeps_enough_words(words: int, left: int) -> None:
    utterances = [f"{i} WORDS HERE" for i in range(10)]
    thinned = DevSet([LogProbs(np.zeros((1, 2)))] * 10, utterances, utterances).thinned(words)
    assert len(thinned.references) == len(thinned.log_probs) == len(thinned.speakers) == left
    assert sum(len(r.split()) for r in thinned.references) >= min(words, 30)


# Phones.

LEXICON = Lexicon({word: (tuple(word.lower()),) for word in "A BAD CAB FACED CAGE FACE GAG".split()})


@pytest.fixture(scope="module")
def heard_twice(dev: DevSet) -> DevSet:
    """Phones as they were said, and characters of A BAG for what has BAD; labels of letters and phones are the same."""
    texts = dev.references[::2]
    longest = max(map(len, texts))
    log_probs = [
        LogProbs(spelled("A BAG" if "BAD" in text else text, longest), spelled(text, longest)) for text in texts
    ]
    return DevSet(log_probs, texts, dev.speakers[::2])


@pytest.fixture
def with_phones(tmp_path: Path) -> Path:
    return fake["write_fake_bundle"](tmp_path / "phones", phones=True)


@pytest.mark.usefixtures("few_choices")
def test_a_lexicon_brings_a_search_by_phones_with_weights_of_its_own(
    heard_twice: DevSet, with_phones: Path, tmp_path: Path
) -> None:
    tried: list[Trial] = []
    model = saved(SENTENCES, tmp_path / "good.lm")
    tuned = tune_bundle(with_phones, heard_twice, model, lexicon=LEXICON, beam_width=8, tried=tried.append)
    assert tuned.best and tuned.by_phones
    assert tuned.by_phones.wer == 0 < tuned.best.wer
    assert list(tuned.rates.values()) == [tuned.greedy[0], tuned.best.wer, 0]
    assert tuned.way == BY_PHONES
    assert {tuned.best.wer, tuned.by_phones.wer} <= {trial.wer for trial in tried}
    bundle = load_bundle(with_phones)
    assert bundle.pronunciations is not None and bundle.decoder.phones is not None
    assert (bundle.decoder.weights, bundle.decoder.phones.weights) == (tuned.best.weights, tuned.by_phones.weights)
    assert bundle.card.decoder and bundle.card.decoder.dev.wer == 0
    assert bundle.card.decoder and bundle.card.decoder.dev.wer_by_characters == tuned.best.wer
    assert bundle.decoder.confidence == tuned.confidence.models
    assert {"phones_evidence", "language_model"} <= bundle.decoder.confidence[0].weights.keys()


@pytest.mark.usefixtures("few_choices")
def test_characters_and_phones_have_their_own_priors(heard_twice: DevSet, with_phones: Path, tmp_path: Path) -> None:
    model = saved(SENTENCES, tmp_path / "good.lm")
    tuned = tune_bundle(with_phones, heard_twice, model, lexicon=LEXICON, beam_width=8)
    decoder = load_bundle(with_phones).decoder
    assert tuned.best and tuned.best.weights.prior_scale and tuned.by_phones and tuned.by_phones.weights.prior_scale
    assert decoder.priors == pytest.approx(heard_twice.priors)
    assert decoder.phones and decoder.phones.priors == pytest.approx(heard_twice.phone_priors)


@pytest.mark.usefixtures("few_choices")
def test_without_a_lexicon_the_words_of_the_same_model_are_said_as_before(
    heard_twice: DevSet, with_phones: Path, tmp_path: Path
) -> None:
    """Another file of the same content is the same model; another model's words are read by characters."""
    model = saved(SENTENCES, tmp_path / "good.lm")
    tune_bundle(with_phones, heard_twice, model, lexicon=LEXICON, beam_width=4)
    before = load_bundle(with_phones).pronunciations
    again = tune_bundle(with_phones, heard_twice, saved(SENTENCES, tmp_path / "again.lm"), beam_width=4)
    after = load_bundle(with_phones).pronunciations
    assert again.by_phones and before and after and before.labels.tolist() == after.labels.tolist()
    other = tune_bundle(with_phones, heard_twice, saved([*SENTENCES, "A GAG"], tmp_path / "other.lm"), beam_width=4)
    bundle = load_bundle(with_phones)
    assert (other.by_phones, bundle.pronunciations, bundle.decoder.phones) == (None, None, None)
    assert other.best and len(other.rates) == 2
    assert bundle.card.decoder and bundle.card.decoder.dev.wer_by_characters is None


@pytest.mark.usefixtures("few_choices")
def test_without_a_model_nothing_is_said(heard_twice: DevSet, with_phones: Path, tmp_path: Path) -> None:
    model = saved(SENTENCES, tmp_path / "good.lm")
    tune_bundle(with_phones, heard_twice, model, lexicon=LEXICON, beam_width=4)
    tuned = tune_bundle(with_phones, heard_twice, None)
    bundle = load_bundle(with_phones)
    assert (tuned.by_phones, bundle.pronunciations, bundle.decoder.phones) == (None, None, None)
    assert list(tuned.rates.values()) == [tuned.greedy[0]]


def test_a_lexicon_that_cannot_help_is_refused_before_anything_is_tried(
    dev: DevSet, folder: Path, with_phones: Path, tmp_path: Path
) -> None:
    tried: list[Trial] = []
    model = saved(SENTENCES, tmp_path / "good.lm")
    with pytest.raises(ConfigError, match=r"tones hears no phones.*train with data\.lexicon"):
        tune_bundle(folder, dev, model, lexicon=LEXICON, tried=tried.append)
    lower = Lexicon({"cab": (("c", "a", "b"),)})
    with pytest.raises(LanguageModelError, match="no word of the language model"):
        tune_bundle(with_phones, dev, model, lexicon=lower, tried=tried.append)
    assert tried == []


def test_a_search_by_phones_travels_to_other_processes(
    heard_twice: DevSet, with_phones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for grid, only in {"ALPHAS": 0.5, "BETAS": 0.0, "UNKNOWN_SCORES": -5.0, "PRIOR_SCALES": 0.0}.items():
        monkeypatch.setattr(f"asr.tuning.search.{grid}", (only,))
    phones = load_bundle(with_phones).phones
    assert phones is not None
    model = train_ngram(SENTENCES, order=2)
    model.save(tmp_path / "good.lm")
    said = Pronunciations.of(model, LEXICON, phones)
    search = Search(VOCABULARY, tmp_path / "good.lm", 8, heard_twice.phone_priors, said)
    assert find_weights(heard_twice, search, processes=1).wer == 0
