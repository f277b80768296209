"""Texts laid over tones whose times are known, and over the sample of the README."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

import asr
from asr.alignment.align import align_text, align_utterance, spell
from asr.data import Utterance
from asr.errors import AlignmentError, AudioNotFoundError
from asr.inference import Transcriber
from asr.text import Vocabulary

fake = runpy.run_path(str(Path(__file__).parents[1] / "inference" / "fake_bundle.py"))
RECORDINGS = Path(__file__).parents[1] / "recordings"
LETTERS = Vocabulary(tuple(" 'ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
FRAME_S = 0.02


@pytest.fixture(scope="module", params=[0, 5], ids=["no margin", "margin"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Transcriber:
    folder = tmp_path_factory.mktemp("bundle") / "tones"
    return asr.load_model(fake["write_fake_bundle"](folder, margin=request.param))


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """AB CAB, each tone of 0.1 s followed by a silence of 0.1 s, from 0.2 s on."""
    soundfile.write(tmp_path / "a.wav", fake["speak"]("AB CAB"), 16_000)
    return tmp_path / "a.wav"


def test_words_are_where_their_tones_are(model: Transcriber, recording: Path) -> None:
    first, second = align_text(model, recording, ["ab, cab."]).segments[0].words
    assert (first.text, second.text) == ("ab,", "cab.")
    assert 0.0 <= first.start <= 0.2 + FRAME_S
    assert 0.5 - FRAME_S <= first.end <= 0.6 + FRAME_S  # the space sounds from 0.6 s
    assert second.start == pytest.approx(0.6, abs=FRAME_S)
    assert 1.3 - FRAME_S <= second.end <= 1.4  # the last tone ends at 1.3 s, the recording at 1.4 s


def test_each_line_is_a_segment(model: Transcriber, recording: Path) -> None:
    transcript = align_text(model, recording, ["Ab", "", "— Cab!"])
    assert [s.text for s in transcript.segments] == ["Ab", "— Cab!"]
    assert transcript.text == "Ab — Cab!"
    assert transcript.duration == pytest.approx(1.4)
    for segment in transcript.segments:
        (word,) = segment.words
        assert (segment.start, segment.end, segment.confidence) == (word.start, word.end, word.confidence)


def test_a_word_that_is_not_said_has_little_confidence(model: Transcriber, recording: Path) -> None:
    right, wrong = align_text(model, recording, ["ab cag"]).segments[0].words
    assert right.confidence > 0.8 and wrong.confidence < 0.01


def test_a_compound_is_as_sure_as_its_least_sure_part(model: Transcriber, recording: Path) -> None:
    parts = align_text(model, recording, ["ab cag"]).segments[0].words
    (whole,) = align_text(model, recording, ["ab-cag"]).segments[0].words
    assert (whole.start, whole.end) == (parts[0].start, parts[1].end)
    assert whole.confidence == min(part.confidence for part in parts)


def test_an_utterance_within_a_recording(model: Transcriber, tmp_path: Path) -> None:
    """Times count from the start of the recording."""
    samples = np.concatenate([fake["speak"]("GGGG"), fake["speak"]("AB")])
    soundfile.write(tmp_path / "long.wav", samples, 16_000)
    transcript = align_utterance(model, Utterance("u1", str(tmp_path / "long.wav"), 0.6, "AB", "me", offset=1.0))
    (word,) = transcript.segments[0].words
    assert 1.0 <= word.start <= 1.2 + FRAME_S and 1.5 - FRAME_S <= word.end <= 1.6
    assert transcript.duration == pytest.approx(1.6)


def test_errors_say_what_could_not_be_aligned(model: Transcriber, recording: Path) -> None:
    with pytest.raises(AlignmentError, match=r"a\.wav: \d+ frames cannot spell 248 labels"):
        align_text(model, recording, ["AB " * 83])
    with pytest.raises(AlignmentError, match=r"a\.wav: the text has no words \(2 lines\)"):
        align_text(model, recording, ["", "…"])
    with pytest.raises(AlignmentError, match=r"(?s)a\.wav: some words .* ' ABCDEFG'.*line 1: 20th\n  line 3: zoo, 3$"):
        align_text(model, recording, ["20th bad", "cab", "a zoo 3"])
    with pytest.raises(AlignmentError, match="^u1: the text has no words"):
        align_utterance(model, Utterance("u1", str(recording), 1.0, "?", "me"))
    with pytest.raises(AudioNotFoundError):
        align_text(model, recording.with_name("b.wav"), ["AB"])


# Spelling


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Yes, it's “café”.", [("Yes,", "YES"), ("it's", "IT'S"), ("“café”.", "CAFE")]),
        ("a well-known rock 'n' roll", [("a", "A"), ("well-known", "WELL KNOWN"), ("rock", "ROCK")]),
        ("— so — what ?", [("— so —", "SO"), ("what ?", "WHAT")]),
        ("itʼs", [("itʼs", "IT'S")]),
        ("* * *", []),
    ],
)
def test_words_stay_as_written(line: str, words: list[tuple[str, str]]) -> None:
    found = [(word.written, " ".join(word.spelled)) for word in spell(line, "upper_letters", LETTERS)]
    assert found[: len(words)] == words and " ".join(w for w, _ in found) == (line if words else "")


def test_signs_without_a_label_are_left_out_but_no_letter_or_digit_is() -> None:
    plain = Vocabulary(tuple(" abcß"))
    assert [word.spelled for word in spell("a-b c'a ß", "verbatim", plain)] == [("ab",), ("ca",), ("ß",)]
    with pytest.raises(AlignmentError, match="^a1, d$"):
        spell("a1 b d", "verbatim", plain)
    with pytest.raises(AlignmentError, match="^1984, мир, ½$"):
        spell("in 1984 мир ½", "upper_letters", LETTERS)


def test_quotation_marks_are_not_spelled_and_apostrophes_are() -> None:
    found = spell("he said 'hello there' to the boys' dog", "upper_letters", LETTERS)
    assert [" ".join(word.spelled) for word in found] == "HE SAID HELLO THERE TO THE BOYS' DOG".split()
    assert [word.written for word in found][2:4] == ["'hello", "there'"]


def test_the_text_is_written_by_the_bundle_s_normaliser(model: Transcriber, tmp_path: Path) -> None:
    assert model.bundle.normaliser == "upper_letters"
    soundfile.write(tmp_path / "tones.wav", fake["speak"]("BAD CAB"), 16_000)
    (segment,) = align_text(model, tmp_path / "tones.wav", ["bad-càb!"]).segments
    assert [word.text for word in segment.words] == ["bad-càb!"]
    plain = replace(model.bundle, normaliser="verbatim")
    with pytest.raises(AlignmentError, match="bad-càb"):
        align_text(Transcriber(plain), tmp_path / "tones.wav", ["bad-càb!"])


# Real speech


def test_the_sample_of_the_readme() -> None:
    """Every word is loud, and what is between words and around them is not."""
    model = asr.load_model()
    transcript = align_text(model, RECORDINGS / "sample.wav", ["enter five two seven"])
    words = transcript.segments[0].words
    assert [word.text for word in words] == ["enter", "five", "two", "seven"]
    assert all(word.confidence > 0.9 for word in words)
    samples, rate = soundfile.read(RECORDINGS / "sample.wav")
    power = [np.mean(samples[round(w.start * rate) : round(w.end * rate)] ** 2) for w in words]
    around = [samples[: round(words[0].start * rate)], samples[round(words[-1].end * rate) :]]
    assert min(power) > 10 * max(np.mean(part**2) for part in around)
