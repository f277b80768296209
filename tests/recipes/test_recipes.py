"""Each recipe is whole: it composes, has a plan, and its README's table is what results.json says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.card import CardText
from asr.cli.composing import compose
from asr.corpora.archives import ARCHIVES
from asr.errors import ConfigError
from asr.files import share_folder
from asr.recipe.find import all_recipes
from asr.recipe.plan import Peer, read_plan
from asr.recipe.results import BeganWith, Results, RoundFigures, read_results, write_results
from asr.recipe.table import BEGIN, END, NOBODY, NOT_MEASURED, render, write_readme_table
from asr.recipe.tune_stage import halves
from asr.typed import from_tree, to_tree

RECIPES = list(all_recipes())
UNMEASURED = {"english", "librispeech", "librispeech_100", "librispeech_960"}
"""Recipes that nobody has run to the end yet; one that has results leaves this list."""

MEASURED = [name for name in RECIPES if name not in UNMEASURED]


def test_there_are_recipes() -> None:
    assert RECIPES == [
        "an4",
        "an4_finetuned",
        "english",
        "fsdd",
        "fsdd_open",
        "librispeech",
        "librispeech_100",
        "librispeech_13h",
        "librispeech_960",
        "telephone_13h",
    ]


@pytest.mark.parametrize("name", RECIPES)
def test_trains_and_is_tested_on_manifests_its_own_prepare_makes(name: str) -> None:
    plan, config = read_plan(name), compose([f"recipe={name}"])
    made = {corpus.manifests for corpus in plan.prepare}
    cut = {plan.cut.to.parent: {path.parent for path in plan.cut.of}} if plan.cut else {}
    judged = [path for path in (plan.test, plan.leave_one_speaker_out, *plan.further_tests) if path]
    assert bool(judged) or plan.test_on_dev
    dev = [Path(config.data.dev)] if config.data.dev else []
    assert {path.parent for path in [*judged, *dev]} <= made
    learned = [cut.get(folder, {folder}) for folder in (Path(path).parent for path in config.data.train)]
    assert set.union(*learned) == made, "each corpus is learned from"
    assert config.run_dir == f"runs/{name}"


@pytest.mark.parametrize("name", RECIPES)
def test_the_parts_it_fetches_are_those_it_learns_from_and_is_judged_by(name: str) -> None:
    plan, config = read_plan(name), compose([f"recipe={name}"])
    cut = plan.cut.of if plan.cut else ()
    needed = {Path(path) for path in [*config.data.train, config.data.dev, plan.test, *cut] if path}
    for corpus in plan.prepare:
        parts = {corpus.manifests / f"{part}.jsonl" for part in corpus.parts}
        archives = {archive.part for archive in ARCHIVES.get(corpus.corpus, ())}
        assert not archives or {*corpus.parts} <= archives, "what can be fetched"
        if parts:
            assert {path for path in needed if path.parent == corpus.manifests} <= parts
            assert parts <= needed | {corpus.manifests / "dev-other.jsonl", *plan.further_tests}


@pytest.mark.parametrize("name", [name for name in RECIPES if read_plan(name).test_on_dev])
def test_where_dev_is_the_test_there_is_a_dev_set_and_no_test_set(name: str) -> None:
    options, plan = compose([f"recipe={name}"]).data, read_plan(name)
    assert options.dev or len(options.dev_speakers) >= 4
    assert plan.test is None and plan.card is not None


@pytest.mark.parametrize("name", sorted(UNMEASURED))
def test_what_is_not_measured_is_said(name: str) -> None:
    home = read_plan(name).home
    assert not (home / "results.json").exists(), "it is measured: take it off the list"
    assert (home / "README.md").read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0] == NOT_MEASURED


@pytest.mark.parametrize("name", MEASURED)
def test_the_table_in_the_readme_is_rendered_from_the_results(name: str) -> None:
    plan = read_plan(name)
    results = read_results(plan.home / "results.json")
    readme = (plan.home / "README.md").read_text(encoding="utf-8")
    assert readme.split(BEGIN)[1].split(END)[0] == "\n" + render(plan, results)


@pytest.mark.parametrize("name", MEASURED)
def test_results_say_how_they_were_made(name: str) -> None:
    results = read_results(read_plan(name).home / "results.json")
    for key in ("command", "commit", "seed", "hardware", "date", "training_minutes", "parameters"):
        assert getattr(results, key) not in ("", None), key
    assert "+changes" not in results.commit


STAGES = {"title": "t", "prepare": [{"corpus": "an4", "folder": "data/an4"}], "test_on_dev": True}


def write_recipe(folder: Path, **stages: object) -> Path:
    """A recipe of stages alone."""
    folder.mkdir(parents=True)
    (folder / "recipe.yaml").write_text(json.dumps({"stages": {k: v for k, v in stages.items() if v is not None}}))
    return folder


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"language_model": {"order": 3}, "beam_width": 0}, "beam_width must be 1 to 16384, got 0"),
        (
            {"language_model": {"order": 3}, "beam_width": 64.5},
            "stages.beam_width must be a whole number or null",
        ),
        ({"beam_width": 64}, "there is none"),
        ({"test": "a.jsonl"}, "one of test, leave_one_speaker_out and test_on_dev: true"),
        ({"test_on_dev": False}, "one of test, leave_one_speaker_out and test_on_dev: true"),
        ({"test_on_dev": "nobody"}, "stages.test_on_dev must be true or false, got 'nobody'"),
        ({"judge": "dev"}, "no setting 'stages.judge'"),
        ({"peers": [{"sistem": "a"}]}, r"no setting 'stages.peers\[0\].sistem'; did you mean stages.peers\[0\].system"),
        ({"prepare": [{"corpus": "an4", "folders": "data/an4"}]}, r"folders'; did you mean stages.prepare\[0\].folder"),
        ({"prepare": {"corpus": "an4", "folder": "data/an4"}}, "stages.prepare must be a list of mappings"),
        ({"prepare": None}, "stages.prepare must be given: a list of mappings"),
        ({"language_model": {"order": 3, "sice": 8}}, "no setting 'stages.language_model.sice'"),
        (
            {"cut": {"words": ["YES"], "off": ["a"], "model": "an4", "to": "b"}},
            "no setting 'stages.cut.off'",
        ),
        ({"then_train": [["a=1"]], "test_on_dev": None, "leave_one_speaker_out": "a.jsonl"}, "trains several"),
    ],
)
def test_stages_that_do_not_say_what_to_do_are_refused_with_file_and_key(
    changed: dict, fault: str, tmp_path: Path
) -> None:
    home = write_recipe(tmp_path / "x", **STAGES | changed)
    with pytest.raises(ConfigError, match=f"x/recipe.yaml: .*{fault}"):
        read_plan(str(home))


def test_a_recipe_in_two_files_is_told_how_to_become_one(tmp_path: Path) -> None:
    home = write_recipe(tmp_path / "old", **STAGES)
    assert read_plan(str(home)).title == "t"
    (home / "stages.yaml").write_text("title: t\n")
    with pytest.raises(ConfigError, match="old/stages.yaml: stages stand in recipe.yaml now; .* a line 'stages:'"):
        read_plan(str(home))
    with pytest.raises(ConfigError, match="stages stand in recipe.yaml now"):
        compose([f"recipe={home}"])
    (home / "stages.yaml").unlink()
    (home / "recipe.yaml").write_text("defaults: [/an4/recipe]\n")
    with pytest.raises(ConfigError, match="recipe.yaml: no an4/recipe; a recipe begins with another by '- an4'"):
        compose([f"recipe={home}"])


def test_settings_without_stages_are_of_asr_train_alone(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("trainer: {epochs: 3}\n")
    with pytest.raises(ConfigError, match="recipe.yaml: it has settings alone"):
        read_plan(str(tmp_path))
    assert compose([f"recipe={tmp_path}"]).trainer.epochs == 3


def test_a_file_that_is_no_yaml_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("trainer: {epochs: 3}\nstages: [\n")
    with pytest.raises(ConfigError, match=f"^{tmp_path}/recipe.yaml: .* line 3"):
        read_plan(str(tmp_path))
    with pytest.raises(ConfigError, match=f"^{tmp_path}/recipe.yaml:3: "):
        compose([f"recipe={tmp_path}"])


def test_recipes_of_ones_own_are_found_before_those_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_recipe(tmp_path / "recipes" / "mine", **STAGES)
    write_recipe(tmp_path / "recipes" / "an4", **STAGES)
    assert list(all_recipes()) == sorted([*RECIPES, "mine"])
    assert {name: read_plan(name).home for name in ("mine", "an4", "fsdd")} == {
        "mine": Path("recipes/mine"),
        "an4": Path("recipes/an4"),
        "fsdd": share_folder("recipes") / "fsdd",
    }
    assert read_plan("recipes/mine").name == "mine"
    with pytest.raises(ConfigError, match="^no recipe 'mien'; did you mean mine"):
        read_plan("mien")
    with pytest.raises(ConfigError, match="^recipes is no recipe: it has no recipe.yaml"):
        read_plan("recipes")


def test_a_readme_without_markers_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("no table\n")
    with pytest.raises(ConfigError, match="around its table"):
        write_readme_table(replace(read_plan("an4"), home=tmp_path), results_on_two_sets())


SCORE = {
    "wer": {"rate": 0.2, "substitutions": 1, "deletions": 1, "insertions": 0, "reference_length": 10, "interval": None},
    "cer": {"rate": 0.1, "substitutions": 1, "deletions": 0, "insertions": 0, "reference_length": 10, "interval": None},
    "normaliser": "upper_letters",
    "utterances": 2,
}


def results_on_two_sets() -> Results:
    """What a recipe that is tested on dev and on test-clean writes, PocketSphinx measured on dev."""
    record = {"seed": 0, "commit": "abc", "evaluated_by_commit": "def", "hardware": "2 cores", "date": "today"}
    record |= {"asr": "1", "python": "3", "numpy": "2"}
    of_set = {"utterances": 2, "hours": 1.5, "speakers": 2, "tuned_on": "the other half"}
    drawn = {"over": "speakers", "groups": 2, "level": 0.95, "resamples": 9, "seed": 0}
    difference = {"rate": -0.0834, "interval": {"low": -0.1, "high": -0.06, **drawn}, "p": 0.01}
    paired = {"with": "this recipe, int8", "better": "this recipe, int8", "difference": difference}
    paired["matched_pairs"] = {"p": 0.00012, "segments": 3, "a_fewer": 2, "b_fewer": 1, "mean": 0.1, "deviation": 0.2}
    scored = SCORE | {"wer": SCORE["wer"] | {"interval": {"low": 0.15, "high": 0.25, **drawn}}}
    return from_tree(Results, {
        "recipe": "x",
        "command": "asr recipe x",
        "systems": {"this recipe, int8": scored | {"rtf": 0.0123}},
        "main": "this recipe, int8",
        "by_speaker": [],
        "test_set": of_set | {"name": "dev"},
        "further": {"test-clean": of_set | {"name": "test-clean", "systems": {"this recipe, int8": SCORE}}},
        "peers": {"dev": {"measured": SCORE | {"rtf": 0.2, "compared": paired}}},
        "language_model": {
            "of": "books", "order": 3, "words_of_text": 1234567, "ngrams": [40000, 5], "bytes": 8000000,
            "dev": {
                "words": 9, "perplexity_including_unknown": 231.6, "perplexity_excluding_unknown": 200.0,
                "unknown_rate": 0.0123,
            },
        },
        "training_minutes": 90.0, "audio_s_per_s": 93.4, "resumed": 2, "parameters": 1000, "weights_sha256": ["0"],
        **record,
    })  # fmt: skip


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    results = results_on_two_sets()
    write_results(tmp_path / "results.json", results)
    written = json.loads((tmp_path / "results.json").read_text())
    assert written["peers"]["dev"]["measured"]["compared"]["with"] == "this recipe, int8"
    assert "began_with" not in written, "what there is none of is left out"
    assert read_results(tmp_path / "results.json") == results
    (tmp_path / "results.json").write_text(json.dumps(written | {"main": 3}))
    with pytest.raises(ConfigError, match="results.json: main must be text, got 3"):
        read_results(tmp_path / "results.json")


def test_it_is_said_what_training_began_with_and_in_how_many_rounds() -> None:
    rounds = [RoundFigures(40.0, "abc"), RoundFigures(50.0, "abc")]
    begun = replace(results_on_two_sets(), began_with=BeganWith("an4", "012"), rounds=rounds)
    text = render(read_plan("an4"), begun)
    assert "Begun with the weights of an4 (commit 012). Trained in 2 rounds, in 90.0 minutes (" in text
    assert "Begun with" not in render(read_plan("an4"), results_on_two_sets())


def test_each_test_set_has_a_table_with_its_own_peers() -> None:
    peers = (
        Peer("measured", "its source", hypotheses="a.jsonl"),
        Peer("not there", "its source", hypotheses="b.jsonl"),
        Peer("published", "a paper", wer=0.3),
        Peer("published of test-clean", "a paper", wer=0.4, test_set="test-clean"),
    )
    page = render(replace(read_plan("librispeech"), peers=peers), results_on_two_sets())
    dev, test = page.split("On test-clean (2 utterances, 1.50 h, 2 speakers)")
    assert "On dev (2 utterances, 1.50 h, 2 speakers), weights of the language model tuned on the other half:" in dev
    assert "| **this recipe, int8** | 20.0 % (15.0 to 25.0) | 10.0 % | 0.012 | `asr recipe x` |" in dev
    assert "| measured | 20.0 % | 10.0 % | 0.200 | its source |" in dev
    assert (
        "Beside measured: this recipe, int8 makes fewer word errors; difference -8.3 points (-10.0 to -6.0), "
        "matched pairs p = 0.00012." in dev
    )
    assert "| published | 30.0 % |  |  | a paper |" in dev
    assert "not there" not in page
    assert "| **this recipe, int8** | 20.0 % | 10.0 % | `asr recipe x` |" in test, "no speed, no column"
    assert "| published of test-clean | 40.0 % |  | a paper |" in test and "published of" not in dev
    assert "measured |" not in test


def test_without_a_language_model_nothing_is_said_of_its_weights() -> None:
    results = results_on_two_sets()
    assert results.test_set
    results = replace(results, test_set=replace(results.test_set, tuned_on=NOBODY), language_model=None)
    assert "On dev (2 utterances, 1.50 h, 2 speakers):" in render(read_plan("librispeech"), results)


def test_below_the_tables_stand_the_language_model_and_the_training() -> None:
    page = render(read_plan("librispeech"), results_on_two_sets())
    assert (
        "Language model: 3-gram of books, 1,234,567 words of text, 40,000 different ones known, 8.0 MB; perplexity 232 "
        "on the dev transcripts, 1.2 % of whose words it lacks." in page
    )
    assert "in 90.0 minutes (93 audio-seconds a second; stopped and resumed twice), 1,000 parameters; seed 0" in page


def test_one_corpus_lies_where_data_says_and_several_below_it() -> None:
    one, several = read_plan("librispeech"), read_plan("librispeech_13h")
    assert one.place(one.prepare[0], None) == Path("data/LibriSpeech")
    assert one.place(one.prepare[0], Path("corpora/mini")) == Path("corpora/mini")
    assert one.text(Path("/corpora/mini")) == Path("/corpora/text/books.tar.xz")
    assert several.place(several.prepare[-1], Path("root")) == Path("root/cv-corpus-6.1-2020-12-11/en")
    assert several.text(Path("root")) == Path("root/text/books.tar.xz")
    assert several.text(None) == Path("data/text/books.tar.xz")


def test_every_corpus_of_the_manifests_has_its_licence_in_the_card() -> None:
    card = read_plan("librispeech_13h").card
    assert card is not None
    named = " ".join(source.name for source in card.data)
    corpora = ("LibriSpeech", "speechocean762", "Kathleen", "AN4", "LJ Speech", "Common Voice", "books")
    assert all(corpus in named for corpus in corpora)
    assert {source.licence for source in card.data if "LibriSpeech" in source.name} == {"CC BY 4.0"}


@pytest.mark.parametrize("name", [name for name in RECIPES if read_plan(name).card])
def test_a_card_is_one_that_export_takes(name: str) -> None:
    assert CardText.from_mapping(to_tree(read_plan(name).card)).data


@given(st.lists(st.text(min_size=1), unique=True, min_size=4))
def test_halves_share_nobody_and_lose_nobody(speakers: list[str]) -> None:
    first, second = halves(speakers)
    assert sorted(first + second) == sorted(speakers)
    assert 0 <= len(first) - len(second) <= 1


def test_three_dev_speakers_are_too_few_to_judge_each_other() -> None:
    with pytest.raises(ConfigError, match="four dev speakers at least.*got 3"):
        halves(["a", "b", "c"])
