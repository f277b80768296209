"""Each file of conf/ and each recipe composes, and mirrors the class of options that it configures."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from asr.cli import structured
from asr.cli.composing import compose, options_of
from asr.features import FEATURES, freeze
from asr.files import share_folder
from asr.models import AcousticModel
from asr.options import ModelOptions, TrainingOptions
from asr.recipe.find import all_recipes
from asr.training.run import make_model
from asr.typed import to_tree, types_of

FILES = sorted(p.relative_to(share_folder("conf")) for p in share_folder("conf").glob("*/*.yaml"))
OTHERS = {"num_features", "vocabulary_size", "phones", "dtype"}
"""Arguments of a model that the front end, the transcripts, the lexicon and trainer.precision give."""

DEFAULTS = {
    "data": "manifests",
    "features": "log_mel",
    "augment": "none",
    "model": "bilstm",
    "optimizer": "adamw",
    "trainer": "default",
}
"""The option of each group that conf/train.yaml chooses."""


def composed(*overrides: str) -> TrainingOptions:
    return options_of(compose(["data.train=[train.jsonl]", *overrides]))


def check_constructs(options: TrainingOptions) -> None:
    """The options are accepted by what they configure."""
    front_end = freeze(options.features)
    options.augment.transforms(front_end)
    model = make_model(front_end.num_features, 5, options.model)
    assert model.output_lengths(100) >= 1


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_file_constructs(path: Path) -> None:
    check_constructs(composed(f"{path.parent.name}={path.stem}"))


def test_each_feature_kind_and_cell_has_a_file() -> None:
    stems = {group: {p.stem for p in FILES if p.parent.name == group} for group in ("features", "model")}
    assert stems == {"features": set(FEATURES), "model": {"birnn", "bilstm", "bigru"}}


def written(group: str, option: str) -> dict[str, object]:
    """What a file says itself, without what it inherits."""
    tree = OmegaConf.to_container(OmegaConf.load(share_folder("conf") / group / f"{option}.yaml"))
    return {key: value for key, value in tree.items() if key != "defaults"}


def options_class(group: str, option: str) -> type:
    return FEATURES[option] if group == "features" else types_of(TrainingOptions)[group]


@pytest.mark.parametrize(
    ("group", "option"), [*DEFAULTS.items(), *(("features", kind) for kind in FEATURES if kind != "log_mel")]
)
def test_a_default_file_says_every_name_and_its_default_as_the_class_does(group: str, option: str) -> None:
    """So that the files can be read instead of the code, and a default stands in the class alone."""
    options = options_class(group, option)
    own = written(group, option)
    assert list(sorted(own)) == sorted(types_of(options))
    needed = {f.name for f in dataclasses.fields(options) if f.default is dataclasses.MISSING}
    assert {name for name, value in own.items() if value == "???"} == needed
    given = {name: own[name] for name in needed} if needed else {}
    defaults = to_tree(options(**{name: ["train.jsonl"] for name in given}))
    assert own | {name: ["train.jsonl"] for name in given} == defaults


def test_nothing_is_said_twice_in_augment() -> None:
    """The 20 settings stand in none.yaml; the others say what differs from the one that they inherit."""
    names = {option: set(written("augment", option)) for option in ("none", "small_corpus", "noisy")}
    assert names["none"] == set(types_of(types_of(TrainingOptions)["augment"]))
    assert names["small_corpus"] < names["none"] and names["noisy"] < names["none"]
    assert not names["small_corpus"] & names["noisy"]
    noisy, small = to_tree(composed("augment=noisy").augment), to_tree(composed("augment=small_corpus").augment)
    assert {name for name in noisy if noisy[name] != small[name]} == names["noisy"]


def test_the_model_group_has_the_names_of_the_acoustic_model() -> None:
    assert list(types_of(ModelOptions)) == [n for n in inspect.signature(AcousticModel).parameters if n not in OTHERS]


@pytest.mark.parametrize("options", [*types_of(TrainingOptions).values(), *FEATURES.values()])
def test_a_structured_config_has_the_names_and_defaults_of_the_options(options: type) -> None:
    twin = structured.twin(options)
    assert list(types_of(twin)) == list(types_of(options))
    needed = {f.name: ["train.jsonl"] for f in dataclasses.fields(options) if f.default is dataclasses.MISSING}
    config = OmegaConf.merge(OmegaConf.structured(twin), needed)
    assert OmegaConf.to_container(config) == to_tree(options(**needed))


@pytest.mark.parametrize("name", all_recipes())
def test_a_recipe_composes_and_constructs(name: str) -> None:
    config = compose([f"recipe={name}"])
    assert config.run_dir == f"runs/{name}"
    check_constructs(options_of(config))


def test_there_are_recipes() -> None:
    assert all_recipes()
