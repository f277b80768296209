"""Each recipe is whole: it composes, has a plan, and its README's table is what results.json says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.cli.train import compose, recipe_names
from asr.corpora.archives import ARCHIVES
from asr.errors import ConfigError
from asr.export.card import CardText
from asr.recipe.judge import NOBODY
from asr.recipe.plan import Peer, read_plan
from asr.recipe.results import BEGIN, END, NOT_MEASURED, render, write_readme_table
from asr.recipe.tuned import halves

RECIPES = recipe_names()
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
def test_trains_and_judges_on_manifests_its_own_prepare_makes(name: str) -> None:
    plan, config = read_plan(name), compose([f"recipe={name}"])
    made = {corpus.manifests for corpus in plan.corpora}
    cut = {plan.cut.to.parent: {path.parent for path in plan.cut.of}} if plan.cut else {}
    judged = [path for path in (plan.test, plan.leave_one_speaker_out, *plan.further_tests) if path]
    assert bool(judged) or plan.judges_dev
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
    for corpus in plan.corpora:
        parts = {corpus.manifests / f"{part}.jsonl" for part in corpus.parts}
        archives = {archive.part for archive in ARCHIVES.get(corpus.importer, ())}
        assert not archives or {*corpus.parts} <= archives, "what can be fetched"
        if parts:
            assert {path for path in needed if path.parent == corpus.manifests} <= parts
            assert parts <= needed | {corpus.manifests / "dev-other.jsonl", *plan.further_tests}


@pytest.mark.parametrize("name", [name for name in RECIPES if read_plan(name).judges_dev])
def test_where_dev_judges_there_is_a_dev_set_and_no_test_set(name: str) -> None:
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
    results = json.loads((plan.home / "results.json").read_text(encoding="utf-8"))
    readme = (plan.home / "README.md").read_text(encoding="utf-8")
    assert readme.split(BEGIN)[1].split(END)[0] == "\n" + render(plan, results)


@pytest.mark.parametrize("name", MEASURED)
def test_results_say_how_they_were_made(name: str) -> None:
    results = json.loads((read_plan(name).home / "results.json").read_text(encoding="utf-8"))
    for key in ("command", "commit", "seed", "hardware", "date", "training_minutes", "parameters"):
        assert results[key] not in ("", None), key
    assert "+changes" not in results["commit"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("beam_width: 0\nlanguage_model: {order: 3}", "beam_width must be a whole number from 1 on, got 0"),
        ("beam_width: 64.5\nlanguage_model: {order: 3}", "got 64.5"),
        ("beam_width: 64", "there is none"),
        ("judge: dev", "one of test, leave_one_speaker_out and judge: dev"),
    ],
)
def test_stages_that_make_no_sense_are_refused(
    line: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asr.recipe.plan.share_folder", lambda _: tmp_path)
    (tmp_path / "mine").mkdir()
    stages = "title: Mine\nprepare: {corpus: an4, folder: data/an4}\ntest: manifests/an4/test.jsonl\n"
    (tmp_path / "mine" / "stages.yaml").write_text(stages)
    assert read_plan("mine").title == "Mine"
    (tmp_path / "mine" / "stages.yaml").write_text(f"{stages}{line}\n")
    with pytest.raises(ConfigError, match=f"stages.yaml: .*{problem}"):
        read_plan("mine")


def test_a_readme_without_markers_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = read_plan("an4")
    monkeypatch.setattr("asr.recipe.plan.share_folder", lambda _: tmp_path)
    (tmp_path / "an4").mkdir()
    (tmp_path / "an4" / "README.md").write_text("no table\n")
    with pytest.raises(ConfigError, match="around its table"):
        write_readme_table(plan, {})


SCORE = {
    "wer": {"rate": 0.2, "substitutions": 1, "deletions": 1, "insertions": 0, "reference_length": 10, "interval": None},
    "cer": {"rate": 0.1, "substitutions": 1, "deletions": 0, "insertions": 0, "reference_length": 10, "interval": None},
    "normaliser": "upper_letters",
}


def results_on_two_sets() -> dict:
    """What a recipe that judges by dev and by test-clean writes, PocketSphinx measured on dev."""
    record = {"seed": 0, "commit": "abc", "evaluated_by_commit": "def", "hardware": "2 cores", "date": "today"}
    of_set = {"utterances": 2, "hours": 1.5, "speakers": 2, "tuned_on": "the other half"}
    interval = {"low": 0.15, "high": 0.25, "over": "speakers"}
    difference = {"rate": -0.0834, "interval": {"low": -0.1, "high": -0.06}}
    paired = {"with": "this recipe, int8", "better": "this recipe, int8", "difference": difference}
    paired["matched_pairs"] = {"p": 0.00012}
    scored = SCORE | {"wer": SCORE["wer"] | {"interval": interval}}
    return {
        "command": "asr recipe x",
        "systems": {"this recipe, int8": scored | {"rtf": 0.0123}},
        "main": "this recipe, int8",
        "by_speaker": [],
        "judged_on": of_set | {"name": "dev"},
        "further": {"test-clean": of_set | {"name": "test-clean", "systems": {"this recipe, int8": SCORE}}},
        "peers": {"dev": {"measured": SCORE | {"rtf": 0.2, "compared": paired}}},
        "language_model": {
            "of": "books", "order": 3, "words_of_text": 1234567, "ngrams": [40000, 5], "bytes": 8e6,
            "dev": {"perplexity_including_unknown": 231.6, "unknown_rate": 0.0123},
        },
        "training_minutes": 90.0, "audio_s_per_s": 93.4, "resumed": 2, "parameters": 1000, **record,
    }  # fmt: skip


def test_it_is_said_what_training_began_with_and_in_how_many_rounds() -> None:
    rounds = [{"minutes": 40.0, "commit": "abc"}, {"minutes": 50.0, "commit": "abc"}]
    begun = {"began_with": {"model": "an4", "commit": "012"}, "rounds": rounds}
    text = render(read_plan("an4"), results_on_two_sets() | begun)
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
    results["judged_on"]["tuned_on"] = NOBODY
    del results["language_model"]
    assert "On dev (2 utterances, 1.50 h, 2 speakers):" in render(read_plan("librispeech"), results)


def test_below_the_tables_stand_the_language_model_and_the_training() -> None:
    page = render(read_plan("librispeech"), results_on_two_sets())
    assert (
        "Language model: 3-gram of books, 1,234,567 words of text, 40,000 different ones known, 8.0 MB; perplexity 232 "
        "on the dev transcripts, 1.2 % of whose words it lacks." in page
    )
    assert "in 90.0 minutes (93 audio-seconds a second; stopped and resumed twice), 1,000 parameters; seed 0" in page


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"test": "a.jsonl"}, "one of test, leave_one_speaker_out and judge: dev"),
        ({"judge": "nobody"}, "one of test, leave_one_speaker_out and judge: dev"),
        ({"peers": [{"sistem": "a"}]}, "sistem"),
        ({"prepare": {"corpus": "an4", "folders": "data/an4"}}, "folders"),
        ({"language_model": {"order": 3, "sice": 8}}, "sice"),
        ({"cut": {"words": ["YES"], "off": ["a.jsonl"], "model": "an4", "to": "b.jsonl"}}, "off"),
    ],
)
def test_a_plan_that_does_not_say_what_to_do_is_refused(
    changed: dict, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = {"title": "t", "prepare": {"corpus": "an4", "folder": "data/an4"}, "judge": "dev"} | changed
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "stages.yaml").write_text(json.dumps(plan))
    monkeypatch.setattr("asr.recipe.plan.share_folder", lambda _: tmp_path)
    with pytest.raises(ConfigError, match=f"stages.yaml: .*{fault}"):
        read_plan("x")


def test_one_corpus_lies_where_data_says_and_several_below_it() -> None:
    one, several = read_plan("librispeech"), read_plan("librispeech_13h")
    assert one.place(one.corpora[0], None) == Path("data/LibriSpeech")
    assert one.place(one.corpora[0], Path("corpora/mini")) == Path("corpora/mini")
    assert one.text(Path("/corpora/mini")) == Path("/corpora/text/books.tar.xz")
    assert several.place(several.corpora[-1], Path("root")) == Path("root/cv-corpus-6.1-2020-12-11/en")
    assert several.text(Path("root")) == Path("root/text/books.tar.xz")
    assert several.text(None) == Path("data/text/books.tar.xz")


def test_every_corpus_of_the_manifests_has_its_licence_in_the_card() -> None:
    card = CardText.from_mapping(read_plan("librispeech_13h").card or {})
    named = " ".join(source.name for source in card.data)
    corpora = ("LibriSpeech", "speechocean762", "Kathleen", "AN4", "LJ Speech", "Common Voice", "books")
    assert all(corpus in named for corpus in corpora)
    assert {source.licence for source in card.data if "LibriSpeech" in source.name} == {"CC BY 4.0"}


@pytest.mark.parametrize("name", [name for name in RECIPES if read_plan(name).card])
def test_a_card_is_one_that_export_takes(name: str) -> None:
    assert CardText.from_mapping(read_plan(name).card or {}).data


@given(st.lists(st.text(min_size=1), unique=True, min_size=4))
def test_halves_share_nobody_and_lose_nobody(speakers: list[str]) -> None:
    first, second = halves(speakers)
    assert sorted(first + second) == sorted(speakers)
    assert 0 <= len(first) - len(second) <= 1


def test_three_dev_speakers_are_too_few_to_judge_each_other() -> None:
    with pytest.raises(ConfigError, match="four dev speakers at least.*got 3"):
        halves(["a", "b", "c"])
