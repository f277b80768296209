"""The line that says that a model plainly does not understand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from asr import bundle as bundles
from asr.bundle import Bundle, load_bundle
from asr.cli.understanding import Understanding
from asr.errors import AudioNotFoundError
from asr.inference import Segment, Transcript
from asr.inference.transcript import Word


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    opened = load_bundle("librispeech_13h")
    return replace(opened, decoder=replace(opened.decoder, usual_confidence=0.8))


def said(*confidences: float) -> Transcript:
    words = tuple(Word("WORD", 0.0, 1.0, confidence) for confidence in confidences)
    return Transcript.of([Segment(0.0, 1.0, "WORD", words)], 1.0)


def warning_of(bundle: Bundle, *transcripts: Transcript) -> str | None:
    understanding = Understanding(bundle)
    for transcript in transcripts:
        understanding.add(transcript)
    return understanding.warning()


def test_far_below_the_usual_confidence_a_line_names_what_else_ships(bundle: Bundle) -> None:
    line = warning_of(bundle, said(*[0.3] * 4), said(*[0.5] * 4))
    assert line is not None
    assert line.startswith(
        "librispeech_13h hardly understands this: it is 40 % sure of a word on average, and 80 % where it knows"
    )
    assert "--model takes another: an4 (" in line and "\n" not in line


@pytest.mark.parametrize("confidences", [[0.49] * 8, [0.1] * 7, []])
def test_where_it_may_well_understand_nothing_is_said(bundle: Bundle, confidences: list[float]) -> None:
    assert warning_of(bundle, said(*confidences)) is None


def test_a_model_of_which_nobody_knows_how_sure_it_is_says_nothing(bundle: Bundle) -> None:
    untuned = replace(bundle, decoder=replace(bundle.decoder, usual_confidence=None))
    assert warning_of(untuned, said(*[0.01] * 20)) is None


def test_errors_among_the_results_go_by(bundle: Bundle) -> None:
    results = [said(*[0.2] * 9), AudioNotFoundError("x.wav: not there")]
    understanding = Understanding(bundle)
    assert list(understanding.counting(results)) == results
    assert understanding.warning() is not None


def test_where_no_other_ships_training_is_named(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "SHIPPED", tmp_path)
    assert "no other model ships; train one" in (warning_of(bundle, said(*[0.2] * 9)) or "")
