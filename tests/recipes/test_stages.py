"""`asr recipe` from a corpus to results, on a corpus of tones; a second call finds everything done."""

from __future__ import annotations

import json
import tarfile
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from asr.bundle import load_bundle
from asr.cli.main import main
from asr.data import read_manifest
from asr.evaluation import compare, read_hypotheses, write_hypotheses
from asr.lm import NgramModel
from asr.recipe.evaluate_stage import Evaluated, EvaluationSet, evaluate_bundle
from asr.tuning import DevSet, Tuned, tune_bundle

pytestmark = pytest.mark.usefixtures("few_choices_in_module")

TINY = ["trainer.epochs=1", "trainer.average=1", "model.units=[4]", "data.batch_s=8", "data.faulty=drop"]

BABBLES = "optimizer.learning_rate=1e-5"
"""As good as untrained, a network says letters; half trained it may say nothing, and then there is nothing to tune."""


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


AN4 = ["recipe", "an4", "--data", "corpus", *TINY]


@pytest.fixture(scope="module")
def an4(tmp_path_factory: pytest.TempPathFactory, few_choices_in_module: None) -> Path:
    """The folder in which recipe an4 has run to its end."""
    folder = tmp_path_factory.mktemp("an4")
    write_an4(folder / "corpus")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(AN4) == 0
    return folder


def test_one_model_and_its_bundle(
    an4: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(an4)
    results = json.loads((an4 / "runs/an4/results.json").read_text())
    ways = ("greedy", "3-gram of the training transcripts")
    assert list(results["systems"]) == [f"this recipe, {way}, {p}" for way in ways for p in ("float32", "int8")]
    assert results["systems"]["this recipe, greedy, float32"]["utterances"] == 6
    card = json.loads((an4 / "runs/an4/bundle/card.json").read_text())
    assert "AN4" in card["data"][0]["name"]
    capsys.readouterr()
    assert main(AN4) == 0
    again = capsys.readouterr().out
    assert "export: runs/an4/bundle is there" in again
    assert "tune: runs/an4/bundle has its language model" in again


def test_the_bundle_gets_a_language_model_of_what_the_run_learned_from(an4: Path) -> None:
    bundle = load_bundle(an4 / "runs/an4/bundle")
    assert bundle.language_model is not None
    model = NgramModel.open(bundle.language_model)
    assert model.order == 3
    assert (model.word_ids(["YES", "NO"]) > 0).tolist() == [True, False], "only the dev speakers say NO"
    assert bundle.card.decoder and bundle.card.decoder.dev.speakers == 7


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


WORDS = {"YES": 300, "NO": 1200}
"""Word → the pitch, Hz, that stands for it."""


def write_tone(path: Path, word: str, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tone = np.sin(2 * np.pi * WORDS[word] * np.arange(8000) / 16000)
    soundfile.write(path, 0.3 * tone + 0.01 * np.random.default_rng(seed).normal(size=8000), 16000)


def write_librispeech(folder: Path, parts: dict[str, list[str]]) -> None:
    """Two utterances a speaker, YES and NO, in the layout of LibriSpeech."""
    for part, speakers in parts.items():
        for speaker in speakers:
            chapter = folder / part / speaker / "1"
            for number, word in enumerate(WORDS):
                write_tone(chapter / f"{speaker}-1-{number:04}.flac", word, int(speaker) + number)
            lines = [f"{speaker}-1-{number:04} {word}\n" for number, word in enumerate(WORDS)]
            (chapter / f"{speaker}-1.trans.txt").write_text("".join(lines))


def tuning_of(bundle: str) -> dict:
    return json.loads(Path(bundle, "card.json").read_text())["decoder"]


@pytest.fixture
def tuned_on(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The speakers that each bundle is tuned on, by its name, with few weights to try."""
    tuned_on: dict[str, list[str]] = {}

    def tune_and_note(folder: Path, dev: DevSet, language_model: Path, **more: object) -> Tuned:
        tuned_on[load_bundle(folder).path.name] = list(dev.speakers)
        return tune_bundle(folder, dev, language_model, **more)

    monkeypatch.setattr("asr.recipe.tune_stage.tune_bundle", tune_and_note)
    return tuned_on


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """The speakers of dev that each bundle reads, by its name."""
    read: dict[str, set[str]] = {}

    def evaluate_and_note(test: EvaluationSet, *arguments: object) -> Evaluated:
        read.update({bundle.name: {u.speaker for u in who} for bundle, who in test.readers if test.name == "dev"})
        return evaluate_bundle(test, *arguments)

    monkeypatch.setattr("asr.recipe.evaluate_stage.evaluate_bundle", evaluate_and_note)
    return read


def test_where_dev_is_the_test_each_half_is_read_by_what_was_tuned_on_the_other(
    capsys: pytest.CaptureFixture[str], tuned_on: dict[str, list[str]], read: dict[str, set[str]]
) -> None:
    parts = {"train-clean-5": ["1", "2"], "dev-clean-2": ["3", "4", "5", "6", "7"], "test-clean": ["8", "9"]}
    write_librispeech(Path("corpus"), parts)
    command = ["recipe", "librispeech", "--data", "corpus", *TINY]
    assert main(command) == 0
    results = json.loads(Path("runs/librispeech/results.json").read_text())

    assert read == {"tuned_on_second_half": {"3", "5", "7"}, "tuned_on_first_half": {"4", "6"}}
    halves = [set(speakers) for speakers in tuned_on.values() if len(set(speakers)) < 5]
    assert sorted(map(sorted, halves)) == [["3", "5", "7"], ["4", "6"]]
    assert tuning_of("runs/librispeech/tuned_on_second_half")["dev"]["speakers"] == 2
    assert tuning_of("runs/librispeech/tuned_on_first_half")["dev"]["speakers"] == 3
    kept = tuning_of("runs/librispeech/bundle")
    assert kept["dev"]["speakers"] == 5
    assert kept["test"]["tuned_on"] == "the other half of the speakers"
    assert kept["test"]["wer"] == results["systems"][results["main"]]["wer"]

    names = [f"this recipe, {way}, {p}" for way in WAYS for p in ("float32", "int8")]
    assert list(results["systems"]) == names
    assert all(system["utterances"] == 10 and system["rtf"] > 0 for system in results["systems"].values())
    assert results["test_set"]["speakers"] == 5
    further = {name: one["utterances"] for name, one in results["further"].items()}
    assert further == {"test-clean": 4, "dev, telephone": 10}
    assert list(results["further"]["dev, telephone"]["systems"]) == [results["main"]]
    assert list(results["further"]["test-clean"]["systems"]) == names
    assert results["language_model"]["words_of_text"] == 4
    assert (results["resumed"], results["audio_s_per_s"] > 0) == (0, True)

    said = capsys.readouterr().out
    assert "data/text/books.tar.xz is not there" not in said and "text/books.tar.xz is not there; the training" in said
    assert main(command) == 0
    again = capsys.readouterr().out
    for line in ("export: runs/librispeech/bundle is there", "tuned_on_first_half has its language model"):
        assert line in again
    assert "language model: runs/librispeech/language_model.lm is there" in again


WAYS = ("greedy", "3-gram of the training transcripts")


def write_six_corpora(root: Path) -> None:
    """What recipe librispeech_13h needs, as published, a few tones each; and a book."""
    dev = ["84", "1462", "1673", "1919", "174", "251", "422", "652"]
    write_librispeech(root / "LibriSpeech", {"dev-clean": ["1", *dev], "train-clean-100": ["19"]})
    write_an4(root / "an4")
    kaldi = root / "speechocean762" / "train"
    write_tone(root / "speechocean762" / "WAVE" / "a.wav", "YES", 1)
    kaldi.mkdir()
    (kaldi / "wav.scp").write_text("a WAVE/a.wav\n")
    (kaldi / "text").write_text("a YES\n")
    (kaldi / "utt2spk").write_text("a 0001\n")
    write_tone(root / "voice-kathleen" / "data" / "b.wav", "NO", 2)
    (root / "voice-kathleen" / "data" / "b.txt").write_text("No.\n")
    write_tone(root / "LJSpeech-1.1" / "wavs" / "LJ001-0001.wav", "NO", 3)
    (root / "LJSpeech-1.1" / "metadata.csv").write_text("LJ001-0001|No|No\n")
    clips = root / "cv-corpus-6.1-2020-12-11" / "en"
    write_tone(clips / "clips" / "c.wav", "YES", 4)
    (clips / "validated.tsv").write_text("client_id\tpath\tsentence\nabc\tc.wav\tYes\n")
    (root / "text").mkdir()
    (root / "text" / "book.txt").write_text("Yes! No, he said.\nNo. Never;\nyes.\n")
    with tarfile.open(root / "text" / "books.tar.xz", "w:xz") as archive:
        archive.add(root / "text" / "book.txt", "book.txt")


def tuning_alpha(bundle: str) -> float:
    return json.loads(Path(bundle, "decoder.json").read_text())["weights"]["alpha"]


def test_several_corpora_a_book_and_a_peer(capsys: pytest.CaptureFixture[str]) -> None:
    write_six_corpora(Path("root"))
    command = ["recipe", "librispeech_13h", "--data", "root", *TINY, BABBLES]
    assert main(command) == 0
    out = capsys.readouterr().out
    for name in ("librispeech", "speechocean", "kathleen", "an4", "ljspeech", "common_voice"):
        assert f"utterances in manifests/{name}" in out
    assert "PocketSphinx" in out and "runs/pocketsphinx/dev.jsonl is not there; its row is left out" in out
    results = json.loads(Path("runs/librispeech_13h/results.json").read_text())
    assert "peers" not in results
    assert results["language_model"]["words_of_text"] == 7
    assert results["language_model"]["dev"]["unknown_rate"] == 0
    assert (results["language_model"]["weights"]["alpha"], results["language_model"]["tuned_on"]["speakers"]) == (
        tuning_alpha("runs/librispeech_13h/bundle"),
        8,
    )
    assert results["language_model"]["beam_width"] == 128
    for folder in ("bundle", "tuned_on_first_half", "tuned_on_second_half"):
        assert load_bundle(f"runs/librispeech_13h/{folder}").decoder.beam_width == 128
    assert results["main"] == "this recipe, 3-gram of 264 public-domain books, by phones, int8"
    assert results["test_set"] | {"hours": 0} == {
        "name": "dev", "utterances": 16, "hours": 0, "speakers": 8, "tuned_on": "the other half of the speakers",
    }  # fmt: skip

    dev = read_manifest("runs/librispeech_13h/dev.jsonl")
    write_hypotheses("runs/pocketsphinx/dev.jsonl", {u.id: u.text.lower() if u.text == "YES" else "" for u in dev})
    assert main(command) == 0
    peers = json.loads(Path("runs/librispeech_13h/results.json").read_text())["peers"]["dev"]
    ((name, scores),) = peers.items()
    assert "PocketSphinx" in name
    assert (scores["wer"]["rate"], scores["wer"]["deletions"], scores["utterances"]) == (0.5, 8, 16)
    ours = read_hypotheses("runs/librispeech_13h/hypotheses/dev-phones-int8.jsonl")
    expected = compare(dev, ours, read_hypotheses("runs/pocketsphinx/dev.jsonl"))
    assert scores["compared"]["matched_pairs"] == asdict(expected.matched_pairs)
    assert scores["compared"]["with"] == results["main"]

    write_hypotheses("runs/pocketsphinx/dev.jsonl", {u.id: "YES" for u in dev[1:]})
    assert main(command) == 1
    assert dev[0].id in capsys.readouterr().err, "a peer is scored on all utterances or not at all"


def test_a_round_begins_with_the_one_before_or_with_a_model_that_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    write_six_corpora(Path("root"))
    command = ["recipe", "librispeech_13h", "--data", "root", *TINY, BABBLES]
    assert main(command) == 0
    run = Path("runs/librispeech_13h")
    *earlier, last_but_one = sorted(run.glob("round_*"))
    folders = [*earlier, last_but_one, run]
    records = [json.loads((folder / "setup.json").read_text())["record"] for folder in folders]
    first, *_, last = records
    assert "began_with" not in first
    for before, after in pairwise(records):
        assert after["began_with"]["commit"] == before["commit"] and after["began_with"]["weights_sha256"]
    warps = [record["config"]["augment"]["frequency_warp"] for record in records]
    assert warps == [0.12, 0.06, 0.06, 0.12, 0.12], "the later ones have settings of their own"
    assert last["config"]["trainer"]["epochs"] == 1, "and the user's before its own"
    results = json.loads(Path("runs/librispeech_13h/results.json").read_text())
    assert [r["commit"] for r in results["rounds"]] == [first["commit"]] * len(folders)
    assert len(set(results["weights_sha256"])) == len(folders) and "began_with" not in results
    capsys.readouterr()
    Path("runs/librispeech_13h").rename("runs/moved")
    assert main([*command, "--run", "runs/moved"]) == 0
    assert "epoch 1/1" not in capsys.readouterr().out, "all rounds are done, wherever the folder lies"

    assert main([*command, f"init_from=runs/moved/{last_but_one.name}", "--run", "runs/given"]) == 0
    assert not Path("runs/given/round_1").exists()
    one = json.loads(Path("runs/given/results.json").read_text())
    assert len(one["weights_sha256"]) == 1
    digest = last["began_with"]["weights_sha256"]
    assert one["began_with"] == {"model": last_but_one.name, "commit": first["commit"], "weights_sha256": digest}
    assert one["command"].endswith(f"init_from=runs/moved/{last_but_one.name}")


def test_a_corpus_that_is_not_in_the_root_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    Path("root").mkdir()
    assert main(["recipe", "librispeech_13h", "--data", "root", *TINY]) == 1
    assert "root/LibriSpeech: there is no such folder; say where librispeech is" in capsys.readouterr().err
