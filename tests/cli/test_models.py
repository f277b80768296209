"""`asr models`: whatever folder ships is listed from its own card; nothing is known beforehand."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from asr import bundle
from asr.card import (
    ConfidenceFigures,
    DecoderFigures,
    DevFigures,
    Difference,
    ModelCard,
    ModelFigures,
    ScoredTest,
)
from asr.cli.main import main
from asr.inference import load_model
from asr.rates import Rate


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what ships, and a second bundle ``aaa`` beside it, of other words."""
    folder = tmp_path / "bundles"
    shutil.copytree(bundle.SHIPPED, folder)
    default = folder / bundle.DEFAULT
    second = shutil.copytree(default, folder / "aaa")
    card = json.loads((second / "card.json").read_text(encoding="utf-8"))
    del card["decoder"]
    card |= {"title": "Zweites", "language": "de", "good_for": "Deutsch."}
    card["models"]["int8"]["wer"]["rate"] = 0.25
    (second / "card.json").write_text(json.dumps(card), encoding="utf-8")
    monkeypatch.setattr(bundle, "SHIPPED", folder)
    return folder


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict]:
    assert main(["models", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_second_folder_appears_by_itself_and_the_default_comes_first(
    shipped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = {one["name"]: one for one in listed(capsys)}
    assert list(models)[0] == bundle.DEFAULT
    assert set(models) == {path.name for path in shipped.iterdir()}
    assert [name for name, one in models.items() if one["default"]] == [bundle.DEFAULT]
    assert (models["aaa"]["title"], models["aaa"]["language"]) == ("Zweites", "de")
    assert models["aaa"]["bytes"] == sum(path.stat().st_size for path in (shipped / "aaa").iterdir())
    assert models["aaa"]["wer"] == models["aaa"]["wer_greedy"]


def test_the_word_error_rate_is_with_the_decoder_that_people_get() -> None:
    def scored(errors: int) -> ModelFigures:
        return ModelFigures(1, Difference(0.0, "u", 1), wer=Rate(errors / 10, errors, 0, 0, 10))

    decoded = ScoredTest("letters", Rate(0.2, 2, 0, 0, 10), Rate(0.1, 1, 0, 0, 10))
    tuned = DecoderFigures(DevFigures(1, 1, 0.3), ConfidenceFigures(0.1, 0.1, 1), test=decoded)
    card = ModelCard(0.02, models={"float32": scored(9), "int8": scored(3)}, decoder=tuned)
    assert (card.scored, card.greedy) == (decoded, scored(3))
    assert replace(card, decoder=None).scored == scored(3)
    assert replace(card, decoder=None, models={"float32": scored(9)}).scored == scored(9)
    assert ModelCard(0.02).scored is None


def test_the_list_is_for_people(shipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    assert f"{bundle.DEFAULT} (default): " in out
    assert "aaa: Zweites\n  WER            25.0 % (" in out
    assert out.count("(default)") == 1
    assert max(map(len, out.splitlines())) <= 110


@pytest.mark.parametrize("by", ["name", "folder"])
def test_a_card_names_every_corpus_its_licence_and_whom_to_thank(
    by: str, shipped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "aaa" if by == "name" else str(shipped / "aaa")]) == 0
    words = " ".join(capsys.readouterr().out.split())
    for source in json.loads((shipped / "aaa" / "card.json").read_text(encoding="utf-8"))["data"]:
        assert all(text in words for text in source.values())


def test_a_card_as_json_is_the_card(shipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "aaa", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(
        (shipped / "aaa" / "card.json").read_text(encoding="utf-8")
    )


def test_none_ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(bundle, "SHIPPED", tmp_path)
    assert main(["models"]) == 0
    assert "no model ships" in capsys.readouterr().out


def test_an_unknown_name_is_told_those_there_are(shipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    others = sorted({path.name for path in shipped.iterdir()} - {bundle.DEFAULT})
    assert main(["models", "bbb"]) == 1
    assert f"({', '.join([bundle.DEFAULT, *others])})" in capsys.readouterr().err


def test_a_broken_card_is_named(shipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shipped / "aaa" / "card.json").write_text("{", encoding="utf-8")
    assert main(["models"]) == 1
    assert f"{shipped / 'aaa' / 'card.json'}: cannot be read" in capsys.readouterr().err


def test_the_default_is_the_one_that_is_loaded() -> None:
    assert load_model().bundle.path == bundle.shipped_bundles()[0] == bundle.SHIPPED / bundle.DEFAULT


def test_a_default_of_the_user_is_said(
    shipped: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["models"]) == 0
    assert "Set ASR_MODEL to a name or a folder" in capsys.readouterr().out
    monkeypatch.setenv("ASR_MODEL", "aaa")
    assert main(["models"]) == 0
    assert "Where none is named, aaa is used: ASR_MODEL says so." in capsys.readouterr().out
