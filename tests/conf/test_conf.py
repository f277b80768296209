"""Each file of conf/ and each recipe composes, and its keys are those of what it configures, no more and no fewer."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from asr.cli.train import compose, recipe_names, training_options
from asr.features import FEATURES, make_front_end
from asr.files import share_folder
from asr.models import AcousticModel
from asr.training import AugmentOptions, DataOptions, OptimizerOptions, TrainerOptions
from asr.training.run import make_model

FILES = sorted(p.relative_to(share_folder("conf")) for p in share_folder("conf").glob("*/*.yaml"))
OTHERS = {"num_features", "vocabulary_size", "phones", "dtype"}
"""Arguments of a model that the front end, the transcripts, the lexicon and trainer.precision give."""
MODEL_OPTIONS = [n for n in inspect.signature(AcousticModel).parameters if n not in OTHERS]


def names(options: type) -> set[str]:
    return {f.name for f in fields(options)}


def composed(*overrides: str) -> dict[str, Any]:
    tree: Any = OmegaConf.to_container(compose(["data.train=[train.jsonl]", *overrides]), resolve=True)
    return tree


def mirrored(group: str, tree: dict[str, Any]) -> set[str]:
    """The names that a file of ``group`` must have."""
    return {
        "data": lambda: names(DataOptions) | {"batch_s"},
        "features": lambda: names(FEATURES[tree["kind"]]) | {"kind", "cmvn"},
        "augment": lambda: names(AugmentOptions),
        "model": lambda: set(MODEL_OPTIONS),
        "optimizer": lambda: names(OptimizerOptions),
        "trainer": lambda: names(TrainerOptions),
    }[group]()


def check_constructs(tree: dict[str, Any]) -> None:
    """The options are accepted by what they configure."""
    options = training_options(tree)
    front_end = make_front_end(**options["features"])
    options["augment"].transforms(front_end)
    model = make_model(front_end.num_features, 5, options["model"])
    assert model.output_lengths(100) >= 1


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_has_the_names_of_what_it_configures(path: Path) -> None:
    group, option = path.parent.name, path.stem
    tree = composed(f"{group}={option}")[group]
    assert tree.keys() == mirrored(group, tree)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_constructs(path: Path) -> None:
    check_constructs(composed(f"{path.parent.name}={path.stem}"))


def test_each_feature_kind_and_cell_has_a_file() -> None:
    stems = {group: {p.stem for p in FILES if p.parent.name == group} for group in ("features", "model")}
    assert stems == {"features": set(FEATURES), "model": {"birnn", "bilstm", "bigru"}}


@pytest.mark.parametrize("name", recipe_names())
def test_a_recipe_composes_and_constructs(name: str) -> None:
    config = compose([f"recipe={name}"])
    assert not OmegaConf.missing_keys(config)
    tree: Any = OmegaConf.to_container(config, resolve=True)
    assert tree["run_dir"] == f"runs/{name}"
    check_constructs(tree)


def test_there_are_recipes() -> None:
    assert recipe_names()
