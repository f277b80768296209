"""`asr recipe` from a corpus to results, on a corpus of tones; a second call finds everything done."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.bundle import load_bundle
from asr.cli.main import main
from asr.lm import NgramModel

TINY = ["trainer.epochs=1", "trainer.average=1", "model.units=[4]", "data.batch_s=8", "data.faulty=drop"]


def write_fsdd(folder: Path, speakers: list[str]) -> None:
    """Digits as tones, in the layout of the Free Spoken Digit Dataset."""
    rng = np.random.default_rng(0)
    (folder / "recordings").mkdir(parents=True)
    for speaker in speakers:
        for digit in range(10):
            for take in range(2):
                tone = np.sin(2 * np.pi * (200 + 150 * digit) * np.arange(4000) / 8000)
                samples = 0.3 * tone + 0.01 * rng.normal(size=4000)
                soundfile.write(folder / "recordings" / f"{digit}_{speaker}_{take}.wav", samples, 8000)


def write_an4(folder: Path) -> None:
    """Two words as tones, in the layout of AN4; the dev speakers are those of the recipe."""
    speakers = {"train": ["fash", "fjmd", "fkdo", "mcrt", "mblw", "mjjs2", "mmap", "msmn"], "test": ["fcaw", "miry"]}
    places = {"train": "an4_clstk", "test": "an4test_clstk"}
    (folder / "etc").mkdir(parents=True)
    for part, names in speakers.items():
        ids, transcripts = [], []
        for number, speaker in enumerate(names * 3):
            word, name = ("YES", "NO")[number % 2], f"an{number + 100}-{speaker}-b"
            path = folder / "wav" / places[part] / speaker / f"{name}.flac"
            path.parent.mkdir(parents=True, exist_ok=True)
            tone = np.sin(2 * np.pi * (300 if word == "YES" else 1200) * np.arange(8000) / 16000)
            soundfile.write(path, 0.3 * tone + 0.01 * np.random.default_rng(number).normal(size=8000), 16000)
            ids.append(f"{places[part]}/{speaker}/{name}")
            transcripts.append(f"<s> {word} </s> ({name})")
        (folder / "etc" / f"an4_{part}.fileids").write_text("\n".join(ids) + "\n")
        (folder / "etc" / f"an4_{part}.transcription").write_text("\n".join(transcripts) + "\n")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_leave_one_speaker_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_fsdd(tmp_path / "corpus", ["ann", "bob", "cem"])
    command = ["recipe", "fsdd", "--data", "corpus", *TINY]
    assert main(command) == 0
    results = json.loads((tmp_path / "runs/fsdd/results.json").read_text())
    assert {row["speaker"]: row["utterances"] for row in results["by_speaker"]} == {"ann": 20, "bob": 20, "cem": 20}
    assert len(results["weights_sha256"]) == 3
    greedy, limited = results["systems"].values()
    assert limited["wer"]["insertions"] == limited["wer"]["deletions"] == 0, "one of the ten words, always"
    assert greedy["utterances"] == limited["utterances"] == 60
    for speaker in ("ann", "bob", "cem"):
        record = json.loads((tmp_path / f"runs/fsdd/{speaker}/setup.json").read_text())["record"]
        assert record["data"]["train"]["speakers"] == 2
    capsys.readouterr()
    assert main(command) == 0
    again = capsys.readouterr().out
    assert "prepare: manifests/fsdd is there" in again
    assert "epoch 1/1" not in again


def test_one_model_and_its_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_an4(tmp_path / "corpus")
    command = ["recipe", "an4", "--data", "corpus", *TINY]
    assert main(command) == 0
    results = json.loads((tmp_path / "runs/an4/results.json").read_text())
    ways = ("greedy", "3-gram of the training transcripts")
    assert list(results["systems"]) == [f"this recipe, {way}, {p}" for way in ways for p in ("float32", "int8")]
    assert results["systems"]["this recipe, greedy, float32"]["utterances"] == 6
    card = json.loads((tmp_path / "runs/an4/bundle/card.json").read_text())
    assert "AN4" in card["data"][0]["name"]
    capsys.readouterr()
    assert main(command) == 0
    again = capsys.readouterr().out
    assert "export: runs/an4/bundle is there" in again
    assert "tune: runs/an4/bundle has its language model" in again


def test_the_bundle_gets_a_language_model_of_what_the_run_learned_from(tmp_path: Path) -> None:
    write_an4(tmp_path / "corpus")
    assert main(["recipe", "an4", "--data", "corpus", *TINY]) == 0
    bundle = load_bundle(tmp_path / "runs/an4/bundle")
    assert bundle.language_model is not None
    model = NgramModel.open(bundle.language_model)
    assert model.order == 3
    assert (model.word_ids(["YES", "NO"]) > 0).tolist() == [True, False], "only the dev speakers say NO"
    assert bundle.card["decoder"]["dev"]["speakers"] == 7


def test_out_of_minutes_is_said_and_nothing_is_scored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_fsdd(tmp_path / "corpus", ["ann", "bob"])
    assert main(["recipe", "fsdd", "--data", "corpus", *TINY, "trainer.max_minutes=0"]) == 0
    assert "out of minutes; the same command goes on" in capsys.readouterr().out
    assert not (tmp_path / "runs/fsdd/results.json").exists()


def test_a_missing_corpus_says_how_to_get_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe", "an4"]) == 1
    assert "--download" in capsys.readouterr().err


def test_a_mistyped_recipe_gets_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe", "an5"]) == 1
    assert "did you mean an4?" in capsys.readouterr().err
