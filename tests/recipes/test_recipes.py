"""Each recipe is whole: it composes, has a plan, and its README's table is what results.json says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from asr.cli.train import compose, recipe_names
from asr.errors import ConfigError
from asr.recipe.plan import read_plan
from asr.recipe.results import BEGIN, END, render, write_readme_table

RECIPES = recipe_names()


def test_there_are_recipes() -> None:
    assert RECIPES == ["an4", "fsdd"]


@pytest.mark.parametrize("name", RECIPES)
def test_trains_and_judges_on_manifests_its_own_prepare_makes(name: str) -> None:
    plan, config = read_plan(name), compose([f"recipe={name}"])
    made = Path("manifests") / plan.corpus
    judged = plan.test or plan.leave_one_speaker_out
    assert judged is not None and judged.parent == made
    assert {Path(p).parent for p in config.data.train} == {made}
    assert config.run_dir == f"runs/{name}"


@pytest.mark.parametrize("name", RECIPES)
def test_the_table_in_the_readme_is_rendered_from_the_results(name: str) -> None:
    plan = read_plan(name)
    results = json.loads((plan.home / "results.json").read_text(encoding="utf-8"))
    readme = (plan.home / "README.md").read_text(encoding="utf-8")
    assert readme.split(BEGIN)[1].split(END)[0] == "\n" + render(plan, results)


@pytest.mark.parametrize("name", RECIPES)
def test_results_say_how_they_were_made(name: str) -> None:
    results = json.loads((read_plan(name).home / "results.json").read_text(encoding="utf-8"))
    for key in ("command", "commit", "seed", "hardware", "date", "training_minutes", "parameters"):
        assert results[key] not in ("", None), key
    assert "+changes" not in results["commit"]


def test_a_readme_without_markers_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = read_plan("an4")
    monkeypatch.setattr("asr.recipe.plan.share_folder", lambda _: tmp_path)
    (tmp_path / "an4").mkdir()
    (tmp_path / "an4" / "README.md").write_text("no table\n")
    with pytest.raises(ConfigError, match="around its table"):
        write_readme_table(plan, {})
