"""`asr lm`, from text to a model and back."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from asr.bundle import load_bundle, write_decoder
from asr.cli.lm import SUB_VERBS, run_raw
from asr.cli.main import main
from asr.data import Utterance, write_manifest
from asr.decoding import DecoderSettings, FusionWeights
from asr.decoding.word_evidence import ACOUSTIC, BY_LANGUAGE_MODEL
from asr.errors import ConfigError, LanguageModelError
from asr.lm import NgramModel, Pronunciations, read_arpa, train_ngram
from asr.text import Lexicon


@pytest.fixture
def text(tmp_path):
    (tmp_path / "t.txt").write_text("the cat sat\nthe cat\nran\n\nA dog. A cat sat\n")
    return str(tmp_path / "t.txt")


def out(tmp_path, name="m.lm"):
    return str(tmp_path / name)


def test_a_model_is_trained_and_its_size_told(text, tmp_path, capsys):
    assert main(["lm", "train", text, "-o", out(tmp_path), "--order", "2"]) == 0
    model = NgramModel.open(out(tmp_path))
    assert (model.order, len(model)) == (2, 7)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "n-grams by order: 9, " in printed.err


def test_options_reach_the_training(text, tmp_path):
    def counts(*options):
        assert run_raw(["train", text, "-o", out(tmp_path), *options]) == 0
        return NgramModel.open(out(tmp_path)).counts

    whole = counts()
    assert len(whole) == 3
    assert counts("--vocabulary_size", "2")[0] == 5
    assert counts("--min_count", "2")[0] == 7
    assert counts("--prune", "0", "0", "1")[1:] == (whole[1], 2)
    assert counts("--prune_entropy", "1e9")[1:] == (0, 0)
    assert counts("--size", "1") == whole
    assert counts("--prose") != whole
    counts("--normaliser", "verbatim")
    assert NgramModel.open(out(tmp_path)).word_ids(["dog.", "DOG"]).astype(bool).tolist() == [True, False]


def test_texts_are_written_as_training_writes_them_or_as_a_bundle_does(text, tmp_path, capsys):
    (tmp_path / "t.txt").write_text("Köln 1984, Köln 1989 — да!\n")
    known = {}
    for options in ([], ["--for", "an4"], ["--normaliser", "letters_and_digits"]):
        assert run_raw(["train", str(tmp_path / "t.txt"), "-o", out(tmp_path), *options]) == 0
        said = capsys.readouterr().err
        words = ["köln", "KOLN", "да", "1984"]
        known[tuple(options)] = NgramModel.open(out(tmp_path)).word_ids(words).astype(bool).tolist()
        if not options:
            assert "not counted, as letters loses them: digits: 8 (9 1 8 …)" in said
        elif "an4" in options:
            assert "not counted, as upper_letters loses them: digits: 8 (9 1 8 …), Cyrillic letters: 2 (" in said
        else:
            assert "not counted" not in said
    assert list(known.values()) == [[True, False, True, False], [False, True, False, False], [True, False, True, True]]
    assert run_raw(["perplexity", out(tmp_path), str(tmp_path / "t.txt"), "--for", "an4"]) == 0
    assert "not measured, as upper_letters loses them: digits: 8" in capsys.readouterr().err


def test_options_may_stand_between_the_texts(text, tmp_path):
    assert run_raw(["train", text, "-o", out(tmp_path), text]) == 0


def test_perplexity_is_told_with_and_without_unknown_words(text, tmp_path, capsys):
    run_raw(["train", text, "-o", out(tmp_path)])
    (tmp_path / "u.txt").write_text("the zebra\n")
    assert run_raw(["perplexity", out(tmp_path), str(tmp_path / "u.txt")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:31].strip() for line in lines] == [
        "sentences",
        "words",
        "out of vocabulary",
        "perplexity, unknown words too",
        "perplexity, without them",
    ]
    assert lines[2].endswith("1 (50.00 %)")


@pytest.mark.parametrize("name", ["m.arpa", "m.arpa.gz"])
def test_one_form_becomes_the_other(text, tmp_path, name):
    run_raw(["train", text, "-o", out(tmp_path)])
    assert run_raw(["convert", out(tmp_path), out(tmp_path, name)]) == 0
    assert run_raw(["convert", out(tmp_path, name), out(tmp_path, "again.lm")]) == 0
    first, again = (NgramModel.open(out(tmp_path, file)) for file in ("m.lm", "again.lm"))
    assert read_arpa(out(tmp_path, name)).counts == first.counts
    for words in (["THE", "CAT"], ["ZEBRA"]):
        assert first.sentence_log_prob(words) == pytest.approx(again.sentence_log_prob(words), rel=1e-3)


def test_a_name_of_no_form_is_refused_before_any_work(tmp_path):
    with pytest.raises(ConfigError, match=r"m\.bin: a language model's name ends in \.lm, \.arpa or \.arpa\.gz"):
        run_raw(["train", "none.txt", "-o", out(tmp_path, "m.bin")])
    with pytest.raises(ConfigError):
        run_raw(["convert", "none.lm", "m.gz"])


def test_a_missing_text_leaves_no_model(tmp_path):
    with pytest.raises(LanguageModelError, match=r"none\.txt"):
        run_raw(["train", str(tmp_path / "none.txt"), "-o", out(tmp_path)])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("argv", "code"),
    [([], 2), (["--help"], 0), (["trian"], 2), (["train", "--help"], 0), (["train"], 2), (["convert", "a"], 2)],
)
def test_wrong_command_lines_and_help(argv, code, capsys):
    assert run_raw(argv) == code


@pytest.mark.parametrize("value", ["-1", "1.5", "many"])
def test_counts_are_whole_numbers(value, capsys):
    assert run_raw(["train", "t", "-o", "m.lm", "--min_count", value]) == 2
    assert "a whole number, 0 or more" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["-1", "inf", "nan", "many"])
def test_shares_are_numbers(value, capsys):
    assert run_raw(["train", "t", "-o", "m.lm", "--prune_entropy", value]) == 2


def test_help_names_every_sub_verb(capsys):
    run_raw(["--help"])
    printed = capsys.readouterr().out
    assert all(name in printed for name in SUB_VERBS)


def test_help_needs_no_numpy():
    code = "import sys, asr.cli.lm as lm\nlm.run_raw(['train', '--help'])\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "asr.lm", "asr.text"} & set(done.stdout.split())


def test_a_language_model_that_is_written_otherwise_than_the_bundle_is_refused(tmp_path):
    fake = runpy.run_path(str(Path(__file__).parents[1] / "inference" / "fake_bundle.py"))
    bundle = fake["write_fake_bundle"](tmp_path / "tones")
    write_manifest(tmp_path / "dev.jsonl", [Utterance("u", "u.wav", 1.0, "BAD CAB", "anna")])
    train_ngram(["bad cab", "a cab"], order=2).save(tmp_path / "small.lm")
    argv = ["tune", str(bundle), str(tmp_path / "dev.jsonl"), "--lm", str(tmp_path / "small.lm")]
    said = r"\d of \d+ words, such as .* are not written as .*tones writes them .* asr lm train --for .*tones"
    with pytest.raises(LanguageModelError, match=said):
        run_raw(argv)


def test_a_tuning_that_would_hear_nothing_is_refused(tmp_path, capsys):
    fake = runpy.run_path(str(Path(__file__).parents[1] / "inference" / "fake_bundle.py"))
    bundle = fake["write_fake_bundle"](tmp_path / "tones")
    write_manifest(tmp_path / "dev.jsonl", [Utterance("u", "u.wav", 1.0, "да 7", "anna")])
    with pytest.raises(ConfigError, match=r"no utterance of .*dev\.jsonl has a word that upper_letters writes"):
        run_raw(["tune", str(bundle), str(tmp_path / "dev.jsonl")])
    assert "not scored: upper_letters loses Cyrillic letters: 2 (д а) in 1 text: u\n" in capsys.readouterr().out


@pytest.fixture
def one_speaker(tmp_path, monkeypatch):
    """The folder of a bundle, a dev manifest of one speaker who says three texts in tones, and few weights to try."""
    fake = runpy.run_path(str(Path(__file__).parents[1] / "inference" / "fake_bundle.py"))
    for grid, only in {"ALPHAS": 0.5, "BETAS": 0.0, "UNKNOWN_SCORES": -5.0, "PRIOR_SCALES": 0.0}.items():
        monkeypatch.setattr(f"asr.tuning.search.{grid}", (only,))
    monkeypatch.setattr("asr.tuning.search._around", lambda weights: [weights])
    utterances = []
    for number, text in enumerate(["BAD CAB", "A CAGE", "A BAD FACE"]):
        samples = fake["speak"](text)
        soundfile.write(tmp_path / f"{number}.wav", samples, 16_000)
        utterances.append(Utterance(f"u{number}", str(tmp_path / f"{number}.wav"), len(samples) / 16_000, text, "anna"))
    write_manifest(tmp_path / "dev.jsonl", utterances)
    return fake["write_fake_bundle"](tmp_path / "tones", phones=True), tmp_path / "dev.jsonl"


def test_a_bundle_is_tuned_on_one_speaker_and_says_what_that_leaves_unknown(one_speaker, tmp_path, capsys):
    bundle, dev = one_speaker
    train_ngram(["BAD CAB", "A CAGE", "A BAD FACE"], order=2).save(tmp_path / "mine.lm")
    argv = ["tune", str(bundle), str(dev), "--speakers", "anna", "--lm", str(tmp_path / "mine.lm"), "--processes", "1"]
    assert run_raw(argv) == 0
    said = capsys.readouterr().out
    assert "kept: no language model, as this one does not bring fewer errors" in said, "all is right without one"
    assert "measured on utterances that it was not fitted to (one speaker: of others nothing is known)" in said
    assert load_bundle(bundle).decoder.confidence and load_bundle(bundle).language_model is None


def test_the_language_model_of_a_bundle_is_taken_with_its_pronunciations(one_speaker, tmp_path, monkeypatch):
    bundle, dev = one_speaker
    other = tmp_path / "other"
    shutil.copytree(bundle, other)
    model = train_ngram(["BAD CAB", "A CAGE"], order=2)
    model.save(tmp_path / "mine.lm")
    lexicon = Lexicon({word: (tuple(word.lower()),) for word in ("BAD", "CAB", "A", "CAGE")})
    said = Pronunciations.of(model, lexicon, load_bundle(other).phones)
    write_decoder(other, DecoderSettings(), tmp_path / "mine.lm", load_bundle(other).card, said)
    given = {}
    monkeypatch.setattr("asr.tuning.tune_bundle", lambda *one, **more: given.update(more, model=one[2]))
    monkeypatch.setattr("asr.cli.lm_tune._show", lambda *_: None)
    assert run_raw(["tune", str(bundle), str(dev), "--lm", str(other)]) == 0
    assert given["model"] == other / "language_model.lm"
    assert given["pronunciations"].labels.tolist() == said.labels.tolist()
    with pytest.raises(ConfigError, match="tones has no language model; name a .lm file or a bundle that has one"):
        run_raw(["tune", str(other), str(dev), "--lm", str(bundle)])


def test_confidence_alone_is_fitted_anew_and_the_bundle_decodes_as_before(one_speaker, tmp_path, capsys):
    bundle, dev = one_speaker
    train_ngram(["BAD CAB", "A CAGE"], order=2).save(tmp_path / "mine.lm")
    before = DecoderSettings(FusionWeights(alpha=0.3), beam_width=16)
    write_decoder(bundle, before, tmp_path / "mine.lm", load_bundle(bundle).card)
    assert run_raw(["tune", str(bundle), str(dev), "--confidence"]) == 0
    after = load_bundle(bundle)
    assert (after.decoder.weights, after.decoder.beam_width) == (before.weights, 16)
    assert after.language_model and after.language_model.read_bytes() == (tmp_path / "mine.lm").read_bytes()
    assert [set(model.weights) for model in after.decoder.confidence] == [
        {*ACOUSTIC, *BY_LANGUAGE_MODEL},
        set(ACOUSTIC),
    ]
    assert after.card.decoder.confidence.words == 7
    with pytest.raises(ConfigError, match="--confidence leaves the decoder as it is; leave --lm out"):
        run_raw(["tune", str(bundle), str(dev), "--confidence", "--lm", "mine.lm"])
