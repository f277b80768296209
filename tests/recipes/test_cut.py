"""Words cut out of corpora before training."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.data import Utterance, read_manifest, write_manifest
from asr.errors import AlignmentError, ManifestError
from asr.recipe.cut_stage import cut_stage
from asr.recipe.plan import WordCuts

fake = runpy.run_path(str(Path(__file__).parents[1] / "inference" / "fake_bundle.py"))


@pytest.fixture
def cut(tmp_path: Path) -> WordCuts:
    """Of two manifests: AB said alone and in a sentence, and where the text says it and nobody does."""
    sounds = {"a": fake["speak"]("AB"), "b": fake["speak"]("CAB AB"), "c": np.zeros(100, np.float32)}
    for name, samples in sounds.items():
        soundfile.write(tmp_path / f"{name}.wav", samples, 16_000)
    texts = {"a": "AB", "b": "CAB AB", "c": "AB"}
    utterances = [
        Utterance(name, str(tmp_path / f"{name}.wav"), len(samples) / 16_000, texts[name], name)
        for name, samples in sounds.items()
    ]
    write_manifest(tmp_path / "one.jsonl", utterances[:1])
    write_manifest(tmp_path / "two.jsonl", utterances[1:])
    model = fake["write_fake_bundle"](tmp_path / "tones")
    return WordCuts(
        ("AB",), (tmp_path / "one.jsonl", tmp_path / "two.jsonl"), str(model), tmp_path / "ab" / "all.jsonl"
    )


def test_words_of_all_manifests_are_made_once(cut: WordCuts) -> None:
    said: list[str] = []
    cut_stage(cut, said.append)
    assert [(u.id, u.text, u.speaker) for u in read_manifest(cut.to)] == [("a-w0", "AB", "a"), ("b-w1", "AB", "b")]
    cut_stage(cut, said.append)
    begun, done, again = said
    assert begun == "cut: AB out of 3 utterances"
    assert done.startswith(f"cut: 2 words in {cut.to}; not aligned: 1, such as {cut.to.parents[1]}/c.wav: 100 samples")
    assert again == f"cut: {cut.to} is there; remove it to cut anew"


def test_words_that_nobody_says_are_an_error(cut: WordCuts) -> None:
    nobody = WordCuts(("GAG",), cut.of, cut.model, cut.to)
    with pytest.raises(AlignmentError, match="none of GAG was heard in .*one.jsonl, .*two.jsonl"):
        cut_stage(nobody, print)
    assert not cut.to.exists()


def test_one_id_in_two_manifests_is_refused_before_the_work(cut: WordCuts) -> None:
    twice = WordCuts(cut.words, (cut.of[0], cut.of[0]), cut.model, cut.to)
    with pytest.raises(ManifestError, match="'a' is the id of 2 utterances"):
        cut_stage(twice, print)
