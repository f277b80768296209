"""`asr recipe` beside running: the list, the dry run, recipes of one's own, and whose tables are written."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from asr.cli.main import main
from asr.cli.recipe import _keep
from asr.files import share_folder
from asr.recipe.find import all_recipes
from asr.recipe.plan import read_plan
from asr.recipe.results import read_results
from asr.recipe.table import BEGIN, END

STAGES = """\
defaults: [an4]
trainer: {epochs: 7}
stages:
  title: "Mine: an4, seven epochs"
  prepare: [{corpus: an4, folder: data/an4}]
  test: manifests/an4/test.jsonl
  language_model: {order: 2}
"""


@pytest.fixture(autouse=True)
def own_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recipe in ./recipes that begins with one of the package."""
    monkeypatch.chdir(tmp_path)
    home = Path("recipes/mine")
    home.mkdir(parents=True)
    (home / "recipe.yaml").write_text(STAGES)
    (home / "README.md").write_text(f"# Mine\n\n{BEGIN}\n{END}\n")
    return home


def test_without_a_name_recipes_are_listed_with_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    Path("recipes/broken").mkdir()
    Path("recipes/broken/recipe.yaml").write_text("stages: {title: T}\n")
    assert main(["recipe"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(all_recipes())
    assert f"{'an4':15}  {read_plan('an4').title}" in lines
    assert f"{'mine':15}  Mine: an4, seven epochs (recipes/mine)" in lines
    (broken,) = [line for line in lines if line.startswith("broken")]
    assert "recipes/broken/recipe.yaml: stages.prepare must be given" in broken


def test_a_dry_run_says_each_stage_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert main(["recipe", "mine", "--dry_run", "--data", "corpora/an4"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "prepare: manifests/an4 would be made of corpora/an4, which is not there; --data says where it is, "
        "--download fetches it",
        "train: runs/mine would be trained, 7 epochs",
        "export: runs/mine/bundle of the trained weights",
        "language model: runs/mine/language_model.lm, 2-gram of the training transcripts",
        "tune: the decoder's weights on the dev set",
        "evaluate: manifests/an4/test.jsonl",
        "results would be written to runs/mine/results.json",
    ]
    assert sorted(tmp_path.rglob("*")) == before


def test_a_dry_run_knows_what_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    for path in ("manifests/an4/summary.json", "runs/mine/final.json"):
        Path(path).parent.mkdir(parents=True)
        Path(path).write_text("{}")
    assert main(["recipe", "recipes/mine", "--dry_run"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["prepare: manifests/an4 is there", "train: runs/mine is trained"]
    assert main(["recipe", "librispeech_13h", "--dry_run", "--run", "r"]) == 0
    rounds = [line for line in capsys.readouterr().out.splitlines() if line.startswith("train: ")]
    assert len(rounds) == 5 and rounds[-1] == "train: r would be trained, 14 epochs"
    assert main(["recipe", "librispeech_13h", "--dry_run", "init_from=an4"]) == 0
    assert capsys.readouterr().out.count("train: ") == 1, "who has a model begins with the last round"


def test_a_mistake_in_a_setting_is_found_in_the_dry_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe", "mine", "--dry_run", "trainer.epochs=ten"]) == 1
    assert capsys.readouterr().err == "asr: error[config]: trainer.epochs must be a whole number, got 'ten'\n"


def test_a_recipe_in_another_folder_is_run_by_its_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.move("recipes/mine", tmp_path / "elsewhere")
    assert main(["recipe", str(tmp_path / "elsewhere"), "--dry_run"]) == 0
    assert "train: runs/elsewhere would be trained, 7 epochs" in capsys.readouterr().out


def test_listing_and_a_dry_run_import_no_tensorflow() -> None:
    code = (
        "import sys; from asr.cli.main import main; main(['recipe']); main(['recipe', 'fsdd_open', '--dry_run']); "
        "sys.exit(str({'tensorflow', 'keras', 'librosa'} & set(sys.modules) or '') or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_tables_of_the_recipe_are_written_where_asked_alone(own_recipe: Path) -> None:
    results = read_results(share_folder("recipes") / "an4" / "results.json")
    plan = read_plan("mine")
    _keep(plan, results, Path("runs/mine"), update_tables=False)
    assert read_results(Path("runs/mine/results.json")) == results
    assert not (own_recipe / "results.json").exists()
    assert (own_recipe / "README.md").read_text() == f"# Mine\n\n{BEGIN}\n{END}\n"
    _keep(plan, results, Path("runs/mine"), update_tables=True)
    assert json.loads((own_recipe / "results.json").read_text())["recipe"] == "an4"
    assert "| **this recipe, greedy, float32** | 6.6 %" in (own_recipe / "README.md").read_text()


def test_tables_are_not_of_other_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe", "mine", "--update_tables", "trainer.epochs=1"]) == 1
    said = capsys.readouterr().err
    assert said == "asr: error[config]: --update_tables needs the recipe's own settings; leave out trainer.epochs=1\n"
