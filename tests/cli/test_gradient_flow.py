"""`asr gradient-flow`, its arguments to its output; what it measures is tested in tests/training."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest

from asr.cli.main import main
from asr.distribution import install_command
from asr.models import CELLS

TONES = runpy.run_path(str(Path(__file__).parents[1] / "training" / "tones.py"))


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(TONES["make_corpus"](tmp_path_factory.mktemp("tones")) / "train.jsonl")


def test_a_picture_and_its_numbers(manifest: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--epochs", "1", "--parameters", "2000", "--reach", "30"]
    assert main(["gradient-flow", manifest, "-o", str(tmp_path), *small]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum("a thousandth is left" in line for line in lines) == 2 * len(CELLS)
    assert lines[-1] == f"Written to {tmp_path}: picture.svg, numbers.json"
    assert "<svg" in (tmp_path / "picture.svg").read_text(encoding="utf-8")
    numbers = json.loads((tmp_path / "numbers.json").read_text(encoding="utf-8"))
    assert numbers["options"] == {"epochs": 1, "parameters": 2000, "reach": 30, "seed": 0}
    assert [(f["cell"], f["epochs"]) for f in numbers["flows"]] == [
        (cell, epochs) for cell in CELLS for epochs in (0, 1)
    ]
    for flow in numbers["flows"]:
        assert len(flow["median"]) == 31 and flow["median"][0] == 1
        assert all(low <= mid <= high for low, mid, high in zip(flow["low"], flow["median"], flow["high"], strict=True))


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--epochs", "0"], "trainer.epochs must be a whole number from 1 on, got 0"),
        (["--parameters", "9", "--reach", "30"], "9 parameters make no rnn of one unit"),
        (["--reach", "5000"], "no utterance has more than 5000 frames"),
        (["--reach", "0"], "--reach must be a whole number from 1 on, got 0"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    manifest: str, tmp_path: Path, option: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gradient-flow", manifest, "-o", str(tmp_path), *option]) == 1
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_without_the_training_extra_it_says_what_to_install(
    manifest: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["gradient-flow", manifest]) == 1
    assert f"asr: error[missing-extra]: this needs matplotlib; {install_command('train')}" in capsys.readouterr().err
