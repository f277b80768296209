"""Other scripts than Latin through the whole line, by the command line, on real recordings of Common Voice."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest

from asr.bundle import load_bundle
from asr.cli.main import main
from asr.data import read_manifest, write_manifest
from asr.text import normalise

CLIPS = 4


def answer(capsys: pytest.CaptureFixture[str]) -> dict:
    return json.loads(capsys.readouterr().out)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("language", "normaliser", "script", "parted"),
    [("ru", "letters", "CYRILLIC", True), ("zh-CN", "letters", "CJK", False)],
)
def test_prepare_train_export_transcribe_evaluate(
    real_data: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    language: str,
    normaliser: str,
    script: str,
    parted: bool,
) -> None:
    folder = real_data / "cv-6.1-other-languages" / language
    assert main(["prepare", "common_voice", str(folder), "-o", str(tmp_path / "all")]) == 0
    shortest = sorted(read_manifest(tmp_path / "all" / "validated.jsonl"), key=lambda u: u.duration)[:CLIPS]
    manifest, run, bundle = tmp_path / "some.jsonl", tmp_path / "run", tmp_path / "bundle"
    write_manifest(manifest, shortest)
    settings = [f"data.train=[{manifest}]", "data.cache_dir=null", "model.units=[8]", "trainer.epochs=1"]

    capsys.readouterr()
    english = [*settings, "data.normaliser=upper_letters", f"run_dir={tmp_path / 'english'}"]
    assert main(["train", *english]) == 1
    assert (
        f"upper_letters loses {script if script == 'CJK' else script.capitalize()} letters: " in capsys.readouterr().err
    )

    assert main(["train", *settings, f"data.normaliser={normaliser}", f"run_dir={run}"]) == 0
    assert main(["export", str(run), "-o", str(bundle), "--precision", "float32"]) == 0
    made = load_bundle(bundle)
    assert made.normaliser == normaliser
    assert (made.vocabulary.space is not None) == parted
    letters = [c for c in made.vocabulary.characters if unicodedata.category(c)[0] == "L"]
    assert letters and all(unicodedata.name(c).startswith(script) for c in letters)

    capsys.readouterr()
    assert main(["transcribe", shortest[0].audio_filepath, "--model", str(bundle)]) == 0
    assert set(capsys.readouterr().out) <= {*made.vocabulary.characters, " ", "\n"}
    assert main(["evaluate", str(manifest), "--model", str(bundle), "--json"]) == 0
    found = answer(capsys)
    assert (found["normaliser"], found["lost"]) == (normaliser, {"references": [], "hypotheses": []})
    assert found["cer"]["reference_length"] == sum(
        len(made.vocabulary.encode(t)) for t in texts_of(shortest, normaliser)
    )

    english_score = ["evaluate", str(manifest), "--model", str(bundle), "--normaliser", "upper_letters"]
    assert main(english_score) == 1
    assert "upper_letters leaves no word of the references" in capsys.readouterr().err


def texts_of(utterances: list, normaliser: str) -> list[str]:
    return [normalise(u.text, normaliser) for u in utterances]
