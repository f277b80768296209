"""`asr export`, its arguments to its output; what it does is tested in tests/export."""

from __future__ import annotations

import subprocess
import sys
import time
import types
from pathlib import Path
from typing import Any

import pytest

from asr.cli.export import read_card
from asr.cli.main import main
from asr.data import Utterance
from asr.distribution import install_command
from asr.errors import ConfigError
from asr.evaluation import evaluate


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A stand-in for ``asr.export`` that notes its arguments; float32 is scored, int8 is not."""
    stand_in: Any = types.ModuleType("asr.export")
    stand_in.asked, stand_in.began_with = [], None
    references = [Utterance(f"{s}{i}", "/x.wav", 1.0, "GO HOME", s) for s in "ab" for i in range(2)]
    scored = evaluate(references, ["GO HOME", "GO HOME", "GO", "GO HOME"])
    distance = types.SimpleNamespace(largest=1.2345e-5, utterance="a0", utterances=4)

    def export_bundle(run: Path, out: Path, **options: Any) -> Any:
        stand_in.asked.append((run, out, options))
        models = [
            types.SimpleNamespace(precision="float32", size=10_360_000, difference=distance, evaluation=scored),
            types.SimpleNamespace(precision="int8", size=2_710_000, difference=distance, evaluation=None),
        ]
        return types.SimpleNamespace(path=out, models=models, began_with=stand_in.began_with)

    stand_in.export_bundle = export_bundle
    monkeypatch.setitem(sys.modules, "asr.export", stand_in)
    return stand_in


def test_a_table_of_size_difference_and_error_rate(exporter: Any, capsys: pytest.CaptureFixture) -> None:
    assert main(["export", "runs/an4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["float32", "10.36", "1.2e-05", "12.50", "0.00", "to", "171.33"]  # two speakers
    assert lines[2].split() == ["int8", "2.71", "1.2e-05", "not", "scored"]
    assert lines[-1] == "Written to runs/an4/bundle"


def test_a_run_that_began_with_a_model_with_a_language_model_is_told_how_to_have_it(
    exporter: Any, capsys: pytest.CaptureFixture
) -> None:
    exporter.began_with = "librispeech_13h"
    assert main(["export", "runs/mine"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == (
        "librispeech_13h, with which the run began, decodes with a language model, and this bundle does not yet: "
        "asr lm tune runs/mine/bundle DEV.jsonl --lm librispeech_13h"
    )


def test_defaults(exporter: Any) -> None:
    main(["export", "runs/an4"])
    ((run, out, options),) = exporter.asked
    assert (run, out) == (Path("runs/an4"), Path("runs/an4/bundle"))
    assert options == {"name": None, "card": None, "evaluate_on": None, "precisions": ("float32", "int8")}


def test_every_option_arrives(exporter: Any, tmp_path: Path) -> None:
    (tmp_path / "card.yaml").write_text("title: T\n")
    arguments = f"-o out --name n --evaluate test.jsonl --card {tmp_path}/card.yaml --precision int8".split()
    main(["export", "run", *arguments])
    ((_, out, options),) = exporter.asked
    assert out == Path("out")
    assert options == {
        "name": "n", "card": {"title": "T"}, "evaluate_on": Path("test.jsonl"), "precisions": ["int8"],
    }  # fmt: skip


def test_a_recipes_card_is_its_section(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("defaults:\n  - override /augment: none\nstages: {card: {title: T}}\n")
    assert read_card(path) == {"title": "T"}
    path.write_text("card: {title: T}\n")
    assert read_card(path) == {"title": "T"}


@pytest.mark.parametrize("text", ["- a\n", "a: [\n", ""])
def test_what_is_no_card_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"c\.yaml"):
        read_card(tmp_path / "c.yaml")


def test_a_missing_card_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"c\.yaml: cannot be read"):
        read_card(tmp_path / "c.yaml")


def test_without_tensorflow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    for name in [m for m in sys.modules if m.startswith(("asr.export", "asr.models", "asr.training"))]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("tensorflow", "keras"):
        monkeypatch.setitem(sys.modules, name, None)
    assert main(["export", "runs/an4"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("asr: error[missing-extra]: export needs ")
    assert install_command("train") in error


def test_help_is_there_at_once() -> None:
    """Under 0.3 s: the best of three, as other work may share the machine."""
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "asr", "export", "--help"], check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.3
