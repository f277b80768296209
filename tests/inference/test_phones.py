"""A bundle that hears phones reads, aligns and streams as one that does not, and by its words' sounds where it can."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
import soundfile

import asr
from asr.alignment.align import align_text
from asr.arrays import LogProbs
from asr.bundle import load_bundle, write_decoder
from asr.decoding import DecoderSettings
from asr.inference import Transcriber
from asr.inference.stitcher import MAX_REGION_S, OutputFrames, SpeechRegion, Stitcher
from asr.lm import NgramModel, Pronunciations, train_ngram
from asr.text import Lexicon

fake = runpy.run_path(str(Path(__file__).parent / "fake_bundle.py"))
LEXICON = Lexicon({"A": (("a",),), "CAB": (("c", "a", "b"),), "CAGE": (("c", "a", "b"), ("c", "a", "g", "e"))})


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Transcriber:
    return asr.load_model(
        fake["write_fake_bundle"](tmp_path_factory.mktemp("plain") / "tones"), speech_detector=fake["loud"]
    )


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Transcriber:
    """Hears phones, and has no language model."""
    return asr.load_model(
        fake["write_fake_bundle"](tmp_path_factory.mktemp("both") / "tones", phones=True), speech_detector=fake["loud"]
    )


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Transcriber:
    """Has a language model in which CAGE, which may sound as CAB does, comes after A, and CAB before."""
    folder = fake["write_fake_bundle"](tmp_path_factory.mktemp("spoken") / "tones", phones=True)
    path = tmp_path_factory.mktemp("lm") / "words.lm"
    train_ngram(["A CAGE", "CAB A CAGE", "CAB A"], order=2).save(path)
    bundle = load_bundle(folder)
    assert bundle.phones == fake["PHONES"]
    said = Pronunciations.of(NgramModel.open(path), LEXICON, bundle.phones)
    write_decoder(folder, DecoderSettings(beam_width=16), path, bundle.card, said)
    return asr.load_model(folder, speech_detector=fake["loud"])


def test_its_log_probabilities_are_of_characters_and_of_phones(plain: Transcriber, both: Transcriber) -> None:
    samples = fake["speak"]("A CAB")
    alone, beside = plain.log_probs(samples), both.log_probs(samples)
    assert alone.phones is None and beside.phones is not None
    assert beside.phones.shape == (len(alone), len(fake["PHONES"]))
    np.testing.assert_array_equal(beside.characters, alone.characters)


def test_without_a_language_model_it_reads_its_characters(plain: Transcriber, both: Transcriber) -> None:
    samples = fake["speak"]("A CAB FACE")
    assert both.transcribe(samples) == plain.transcribe(samples)


def test_with_one_it_reads_by_phones_and_times_words_by_their_letters(plain: Transcriber, spoken: Transcriber) -> None:
    found, alike = (model.transcribe(fake["speak"]("CAB A CAB ")) for model in (spoken, plain))
    assert (found.text, alike.text) == ("CAB A CAGE", "CAB A CAB")
    for word, other in zip(found.segments[0].words[:2], alike.segments[0].words, strict=False):
        assert (word.start, word.end) == pytest.approx((other.start, other.end), abs=0.05)


def test_a_text_is_laid_over_its_characters(plain: Transcriber, both: Transcriber, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", fake["speak"]("AB CAB"), 16_000)
    laid = [align_text(model, tmp_path / "a.wav", ["ab, cab."]).segments for model in (plain, both)]
    assert laid[0] == laid[1]


def test_heard_live_as_read_whole(spoken: Transcriber) -> None:
    samples = fake["speak"]("CAB A CAB ")
    live = asr.StreamingTranscriber(spoken)
    updates = [live.accept(samples[at : at + 1600]) for at in range(0, len(samples), 1600)]
    segments = [segment for update in [*updates, live.finish()] for segment in update.final]
    assert tuple(segments) == spoken.transcribe(samples).segments


def test_a_long_region_is_parted_at_a_space_that_was_heard_not_at_a_phone(both: Transcriber) -> None:
    """A frame's likeliest phone may be far likelier than its likeliest character; only these have spaces."""
    vocabulary = both.bundle.vocabulary
    characters, phones = np.full((2, 100, len(vocabulary)), -5.0)
    characters[:, vocabulary.encode("A")[0]] = -1.0
    characters[70, vocabulary.encode(" ")[0]] = -0.5
    phones[:, 3] = -0.01
    first, rest = Stitcher(OutputFrames.of(both.bundle), vocabulary)._split(
        SpeechRegion(0.0, (0.0, MAX_REGION_S), LogProbs(characters, phones))
    )
    assert rest is not None
    assert (len(first.log_probs), len(rest.log_probs)) == (70, 30)
