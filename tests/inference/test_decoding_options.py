"""Which decoder a bundle gets, and what each option does to what is read."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asr.arrays import LogProbs
from asr.bundle import Bundle, load_bundle, write_decoder
from asr.decoding import BeamDecoder, DecoderSettings, FusionWeights, GreedyDecoder, PhoneDecoder, PhoneSettings
from asr.errors import ConfigError, LanguageModelError, VocabularyError
from asr.inference.decoding_options import Decoding
from asr.lm import NgramModel, Pronunciations, train_ngram
from asr.text import Lexicon

fake = runpy.run_path(str(Path(__file__).with_name("fake_bundle.py")))


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Bundle:
    """A bundle without a language model."""
    return load_bundle(fake["write_fake_bundle"](tmp_path_factory.mktemp("plain") / "tones"))


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A language model in which BAD is likely and BAG is not a word."""
    path = tmp_path_factory.mktemp("lm") / "words.lm"
    train_ngram(["A BAD CAB", "A BAD FACE", "A CAB"], order=2).save(path)
    return path


@pytest.fixture(scope="module")
def fused(tmp_path_factory, model: Path) -> Bundle:
    """A bundle with that language model."""
    folder = fake["write_fake_bundle"](tmp_path_factory.mktemp("fused") / "tones")
    settings = DecoderSettings(FusionWeights(alpha=1.0, beta=0.5, unknown_score=-3.0), beam_width=16)
    write_decoder(folder, settings, model, load_bundle(folder).card)
    return load_bundle(folder)


def heard(bundle: Bundle, *letters: dict[str, float]) -> LogProbs:
    """Log-probabilities of a letter every other frame, each with its rivals; blanks between."""
    vocabulary = bundle.vocabulary
    rows = np.full((2 * len(letters), len(vocabulary)), 1e-6)
    rows[1::2, 0] = 1.0
    for row, shares in zip(rows[::2], letters, strict=True):
        for letter, share in shares.items():
            row[vocabulary.encode(letter)[0]] = share
    return LogProbs(np.log(rows / rows.sum(axis=1, keepdims=True)))


@pytest.fixture
def bag(plain: Bundle) -> LogProbs:
    """Somebody says BAG, or BAD, not quite as likely."""
    return heard(plain, {"B": 1.0}, {"A": 1.0}, {"G": 0.6, "D": 0.4})


def read(decoding: Decoding, bundle: Bundle, log_probs: LogProbs) -> list[str]:
    return [h.text for h in decoding.decoder(bundle).decode([log_probs])[0]]


def test_the_best_path_is_read_where_nothing_needs_a_search(plain: Bundle, fused: Bundle, bag: LogProbs) -> None:
    assert isinstance(Decoding().decoder(plain), GreedyDecoder)
    assert isinstance(Decoding(beam_width=1).decoder(fused), GreedyDecoder)
    assert isinstance(Decoding(language_model=None).decoder(fused), GreedyDecoder)
    assert read(Decoding(), plain, bag) == ["BAG"]


def test_a_bundle_with_a_language_model_is_read_with_it(fused: Bundle, bag: LogProbs) -> None:
    assert read(Decoding(), fused, bag) == ["BAD"]


def test_priors_are_divided_out_where_there_is_a_language_model(plain: Bundle, fused: Bundle, bag: LogProbs) -> None:
    """G is said to be rare, which counts for more than the model's liking of D, and without the model for nothing."""
    vocabulary = fused.vocabulary
    priors = [0.0] * len(vocabulary)
    priors[vocabulary.encode("G")[0]] = -8.0
    weights = replace(fused.decoder.weights, prior_scale=1.0)
    rare = replace(fused, decoder=replace(fused.decoder, weights=weights, priors=tuple(priors)))
    assert read(Decoding(), rare, bag) == ["BAG"]
    rare_d = heard(plain, {"B": 1.0}, {"A": 1.0}, {"G": 0.4, "D": 0.6})
    assert read(Decoding(language_model=None, beam_width=16), rare, rare_d) == ["BAD"]


def test_a_language_model_can_be_named(plain: Bundle, model: Path, bag: LogProbs) -> None:
    assert read(Decoding(language_model=model), plain, bag) == ["BAD"]
    assert read(
        Decoding(language_model=model, alpha=0.0), plain, heard(plain, {"C": 1}, {"A": 1}, {"B": 0.4, "D": 0.6})
    ) == ["CAB"]


def test_readings_come_best_first(plain: Bundle, bag: LogProbs) -> None:
    assert read(Decoding(n_best=2), plain, bag) == ["BAG", "BAD"]


def test_hotwords_win_also_against_the_language_model(fused: Bundle, bag: LogProbs) -> None:
    """BAG is a word that it lacks; what it loses by that is given back, whatever the case it is written in."""
    assert read(Decoding(hotwords={"bag": 2.0}), fused, bag) == ["BAG"]
    assert read(Decoding(hotwords={"egg": 2.0}), fused, bag) == ["BAD"]


def test_what_is_not_spoken_is_left_out_of_a_hotword(fused: Bundle, bag: LogProbs) -> None:
    """The bundle has no apostrophe, and its normaliser keeps one."""
    assert read(Decoding(hotwords={"«Bág»…": 2.0}), fused, bag) == ["BAG"]
    assert read(Decoding(hotwords={"B’ag.": 2.0}), fused, bag) == ["BAG"]
    with pytest.raises(VocabularyError, match=r"'bag \+ 7' has '\+7', which .* loses"):
        Decoding(hotwords={"bag + 7": 2.0}).decoder(fused)


def test_a_language_model_in_the_other_case_is_refused(plain: Bundle, tmp_path: Path) -> None:
    path = tmp_path / "small.lm"
    train_ngram(["a bad cab", "a bad face"], order=2).save(path)
    with pytest.raises(LanguageModelError, match=r"small.lm: 4 of 4 words, such as face, .*asr lm train --for .*tones"):
        Decoding(language_model=path).decoder(plain)


def test_a_grammar_and_a_list_of_words_leave_nothing_else_to_say(fused: Bundle, bag: LogProbs) -> None:
    assert read(Decoding(grammar=["BAG", "FACE"]), fused, bag) == ["BAG"]
    assert read(Decoding(words=["CAB", "FACE"]), fused, bag) == ["CAB"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hotwords": {"bag": 2.0, " ": 1.0}}, "hotwords are words or phrases"),
        ({"hotwords": {"bag": float("nan")}}, "each with a number for its weight"),
        ({"beam_width": 1, "hotwords": {"A": 1.0}}, "a beam of 1"),
        ({"beam_width": 1, "n_best": 2}, "a beam of 1"),
        ({"beam_width": 1, "language_model": "some.lm"}, "a beam of 1"),
        ({"grammar": ["A"], "words": ["A"]}, "give one of them"),
        ({"words": ["CAB", "ONE W AH N"]}, "'ONE W AH N' in the list of words is not one word"),
    ],
)
def test_what_does_not_go_together_is_refused(options: dict, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Decoding(**options)


def test_what_cannot_be_used_is_named(plain: Bundle, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="alpha and beta weigh a language model"):
        Decoding(alpha=1.0).decoder(plain)
    with pytest.raises(VocabularyError, match="'Z'"):
        Decoding(hotwords={"ZA": 1.0}).decoder(plain)
    with pytest.raises(LanguageModelError, match="none.lm"):
        Decoding(language_model=tmp_path / "none.lm").decoder(plain)


# A bundle that hears phones, and has how its language model's words are said.

SPOKEN_WEIGHTS = FusionWeights(alpha=0.9, beta=0.25)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory, model: Path) -> Bundle:
    """With the language model of ``fused``, each word said by its letters."""
    folder = fake["write_fake_bundle"](tmp_path_factory.mktemp("spoken") / "tones", phones=True)
    lexicon = Lexicon({word: (tuple(word.lower()),) for word in ("A", "BAD", "CAB", "FACE")})
    said = Pronunciations.of(NgramModel.open(model), lexicon, load_bundle(folder).phones)
    weights = FusionWeights(alpha=1.0, beta=0.5, unknown_score=-3.0)
    settings = DecoderSettings(weights, beam_width=16, phones=PhoneSettings(SPOKEN_WEIGHTS))
    write_decoder(folder, settings, model, load_bundle(folder).card, said)
    return load_bundle(folder)


@pytest.fixture
def bag_or_cab(plain: Bundle, bag: LogProbs) -> LogProbs:
    """Characters of BAG, or BAD, not quite as likely, and phones of CAB: labels of letters and phones are the same."""
    return LogProbs(bag.characters, heard(plain, {"C": 1.0}, {"A": 1.0}, {"B": 1.0}).characters)


def test_a_bundle_that_knows_how_its_words_are_said_is_read_by_phones(spoken: Bundle, bag_or_cab: LogProbs) -> None:
    assert isinstance(Decoding().decoder(spoken), PhoneDecoder)
    assert read(Decoding(), spoken, bag_or_cab) == ["CAB"]


@pytest.mark.parametrize(
    ("hotwords", "text"),
    [({"bad": 6.0}, "BAD"), ({"Bad": 0.1}, "CAB"), ({"cab": 1.0, "CAB bad": 9.0}, "CAB"), ({"bad": -9.0}, "CAB")],
    ids=str,
)
def test_hotwords_that_it_knows_by_how_they_are_said_are_raised_there(
    hotwords: dict[str, float], text: str, spoken: Bundle, plain: Bundle
) -> None:
    cab_or_bad = heard(plain, {"C": 0.8, "B": 0.2}, {"A": 1.0}, {"B": 0.8, "D": 0.2})
    both = LogProbs(cab_or_bad.characters, cab_or_bad.characters)
    assert isinstance(Decoding(hotwords=hotwords).decoder(spoken), PhoneDecoder)
    assert read(Decoding(hotwords=hotwords), spoken, both) == [text]


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({"hotwords": {"bag": 2.0, "cab": 1.0, "gabba": 2.0}}, BeamDecoder, "BAG"),
        ({"hotwords": {"gabba": 2.0}}, BeamDecoder, "BAD"),
        ({"grammar": ["FACE", "BAG"]}, BeamDecoder, "BAG"),
        ({"words": ["FACE", "BAD"]}, BeamDecoder, "BAD"),
        ({"language_model": None, "beam_width": 8}, BeamDecoder, "BAG"),
        ({"language_model": None}, GreedyDecoder, "BAG"),
        ({"beam_width": 1}, GreedyDecoder, "BAG"),
    ],
    ids=str,
)
def test_by_its_characters_where_any_word_may_be_written(
    options: dict, kind: type, text: str, spoken: Bundle, bag_or_cab: LogProbs
) -> None:
    assert isinstance(Decoding(**options).decoder(spoken), kind)
    assert read(Decoding(**options), spoken, bag_or_cab) == [text]


def test_by_its_characters_with_a_language_model_that_is_named(
    spoken: Bundle, bag_or_cab: LogProbs, tmp_path: Path
) -> None:
    """Its own by its file, too."""
    assert read(Decoding(language_model=spoken.language_model), spoken, bag_or_cab) == ["BAD"]
    train_ngram(["BAG", "A BAG"], order=2).save(tmp_path / "other.lm")
    assert isinstance(Decoding(language_model=tmp_path / "other.lm").decoder(spoken), BeamDecoder)
    assert read(Decoding(language_model=tmp_path / "other.lm"), spoken, bag_or_cab) == ["BAG"]


def test_by_its_characters_where_nothing_says_how_words_are_said(spoken: Bundle, bag_or_cab: LogProbs) -> None:
    assert read(Decoding(), replace(spoken, pronunciations=None), bag_or_cab) == ["BAD"]


def score(decoding: Decoding, bundle: Bundle, log_probs: LogProbs) -> float:
    """Of the best reading."""
    return decoding.decoder(bundle).decode([log_probs])[0][0].score


def test_phones_have_weights_of_their_own(spoken: Bundle, bag_or_cab: LogProbs) -> None:
    """One word is read: what beta grows by, its score grows by."""
    own = score(Decoding(), spoken, bag_or_cab)
    given = Decoding(alpha=SPOKEN_WEIGHTS.alpha, beta=SPOKEN_WEIGHTS.beta)
    assert score(given, spoken, bag_or_cab) == own
    assert score(Decoding(beta=SPOKEN_WEIGHTS.beta + 2), spoken, bag_or_cab) == pytest.approx(own + 2)
    untuned = replace(spoken, decoder=replace(spoken.decoder, phones=None))
    usual = Decoding(alpha=FusionWeights().alpha, beta=FusionWeights().beta)
    assert score(Decoding(), untuned, bag_or_cab) == score(usual, spoken, bag_or_cab)


def test_phones_have_priors_of_their_own(spoken: Bundle, plain: Bundle, bag: LogProbs) -> None:
    """C is said to be common among the phones, which counts against it; among the characters, for nothing here."""
    said = heard(plain, {"C": 0.6, "B": 0.4}, {"A": 1.0}, {"B": 0.6, "D": 0.4})
    log_probs = LogProbs(bag.characters, said.characters)
    assert read(Decoding(alpha=0.0), spoken, log_probs) == ["CAB"]
    priors = [-8.0] * (len(spoken.phones or ()))
    priors[spoken.vocabulary.encode("C")[0]] = 0.0
    rare = PhoneSettings(replace(SPOKEN_WEIGHTS, prior_scale=1.0), tuple(priors))
    changed = replace(spoken, decoder=replace(spoken.decoder, phones=rare))
    assert read(Decoding(alpha=0.0), changed, log_probs) == ["BAD"]


def test_phones_have_several_readings_too(spoken: Bundle, plain: Bundle, bag: LogProbs) -> None:
    said = heard(plain, {"C": 0.7, "B": 0.3}, {"A": 1.0}, {"B": 0.7, "D": 0.3})
    readings = read(Decoding(n_best=2), spoken, LogProbs(bag.characters, said.characters))
    assert sorted(readings) == ["BAD", "CAB"]


@pytest.mark.parametrize("how", [{"hotwords": {"cab 9": 1.0}}, {"grammar": ["bad", "cab 9"]}, {"words": ["9"]}])
def test_a_phrase_that_the_normaliser_would_shorten_is_refused(plain: Bundle, how: dict) -> None:
    with pytest.raises(VocabularyError, match="has '9', which upper_letters loses; write it as it is spoken"):
        Decoding(language_model=None, **how).decoder(plain)


def test_a_phrase_of_signs_alone_is_refused(plain: Bundle) -> None:
    with pytest.raises(VocabularyError, match="'…' has no letter that upper_letters writes"):
        Decoding(language_model=None, grammar=["bad", "…"]).decoder(plain)


def test_phrases_are_written_as_the_bundle_writes_texts(plain: Bundle, bag: LogProbs) -> None:
    assert read(Decoding(language_model=None, grammar=["‘Bád!’", "cab"]), plain, bag) == ["BAD"]
    cased = replace(plain, normaliser="letters")
    with pytest.raises(VocabularyError, match="'BAD' has 'abd', and "):
        Decoding(language_model=None, grammar=["BAD"]).decoder(cased)
