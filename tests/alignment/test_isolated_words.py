"""Words cut out of sentences."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.alignment.isolated_words import MARGIN_S, WordCutter
from asr.data import Utterance
from asr.inference import Transcriber, load_model

fake = runpy.run_path(str(Path(__file__).parents[1] / "inference" / "fake_bundle.py"))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Transcriber:
    return load_model(fake["write_fake_bundle"](tmp_path_factory.mktemp("bundle") / "tones"))


def said(folder: Path, sound: str, text: str) -> Utterance:
    samples = np.concatenate([fake["speak"](sound), np.zeros(8000, np.float32)])
    soundfile.write(folder / "a.wav", samples, 16_000)
    return Utterance("a", str(folder / "a.wav"), len(samples) / 16_000, text, "me")


def test_neighbours_share_what_is_between_them_and_silence_is_left_behind(model: Transcriber, tmp_path: Path) -> None:
    first, second = WordCutter(model, ["ab", "cab"])([said(tmp_path, "AB CAB", "AB CAB")])
    assert first.offset + first.duration <= second.offset + 0.001
    assert second.offset + second.duration < 1.4 + 2 * MARGIN_S + 0.1, "half a second of silence follows"


def test_what_the_text_says_and_the_recording_does_not_is_left_out(model: Transcriber, tmp_path: Path) -> None:
    cut = WordCutter(model, ["AB", "DAD"])
    assert [one.text for one in cut([said(tmp_path, "AB CAB", "AB DAD")])] == ["AB"]


def test_words_are_compared_as_the_model_writes_them_and_hyphened_ones_are_one(
    model: Transcriber, tmp_path: Path
) -> None:
    cut = WordCutter(model, ["ab"])
    assert cut.words == ("AB",)
    assert [one.id for one in cut([said(tmp_path, "CAB AB AB", "cab-ab, Ab!")])] == ["a-w1"]
