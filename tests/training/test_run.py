"""A run from plain options: what it refuses before training, what it drops, what it remembers."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from asr.cli.train import run_configured
from asr.data import read_manifest, write_manifest
from asr.data.augment import AugmentOptions
from asr.errors import AudioError, ConfigError, ManifestError, PreflightError, TrainingError, VocabularyError
from asr.features import make_front_end
from asr.options import DataOptions, ModelOptions, OptimizerOptions, TrainerOptions, TrainingOptions
from asr.training import dataset
from asr.training.checkpoint import Checkpoint, save_checkpoint
from asr.training.run import finished, make_model, same_run
from asr.training.trainer import Trainer


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> list[Trainer]:
    """Runs end where the loop would begin; the trainers made."""
    made: list[Trainer] = []
    monkeypatch.setattr(Trainer, "fit", lambda self: made.append(self) or "epochs")
    return made


@pytest.fixture
def run(tones: SimpleNamespace, corpus: Path, tmp_path: Path, no_training: list[Trainer]):
    """Start a run with some options changed; its trainer."""

    def started(**changes: Any) -> Trainer:
        run_configured(tmp_path / "run", tones.tree(corpus, tmp_path / "run", **changes), [])
        return no_training[-1]

    return started


@pytest.fixture
def faulty(tones: SimpleNamespace, corpus: Path, tmp_path: Path) -> Path:
    """The training manifest with three bad utterances in front, one of them with the id of a good one."""
    good = read_manifest(corpus / "train.jsonl")
    gone = replace(good[0], id="gone", audio_filepath=str(tmp_path / "gone.wav"))
    empty = replace(good[0], id="empty", text="…")
    long = replace(good[0], id="long", text="ABC" * 30)
    write_manifest(tmp_path / "faulty.jsonl", [gone, empty, long])
    write_manifest(tmp_path / "twin.jsonl", [replace(gone, id=good[3].id)])
    return tmp_path / "faulty.jsonl"


def ids(trainer: Trainer) -> list[str]:
    return [e.utterance.id for e in trainer.training_set.examples]


def test_faults_are_refused_before_training_each_by_its_id(run, corpus: Path, faulty: Path, no_training: list) -> None:
    with pytest.raises(PreflightError) as error:
        run(data={"train": [str(faulty), str(corpus / "train.jsonl")]})
    text = str(error.value)
    assert text.startswith("3 of 23 utterances cannot be trained on:")
    for line in ("gone: [audio-not-found]", "empty: the transcript is empty", "frames cannot spell 90 labels (needs"):
        assert line in text
    assert no_training == []


def test_faults_are_dropped_when_told_to_and_recorded(run, corpus: Path, faulty: Path, tmp_path: Path) -> None:
    trainer = run(data={"train": [str(faulty), str(corpus / "train.jsonl")], "faulty": "drop"})
    assert ids(trainer) == [u.id for u in read_manifest(corpus / "train.jsonl")]
    record = json.loads((tmp_path / "run" / "setup.json").read_text())["record"]
    assert [f["id"] for f in record["data"]["dropped"]] == ["gone", "empty", "long"]
    assert record["data"]["train"]["utterances"] == 20


@pytest.fixture
def lossy(corpus: Path, tmp_path: Path) -> Path:
    """The training manifest; of two of its utterances the text has a digit, and of one more a word in Cyrillic."""
    utterances = read_manifest(corpus / "train.jsonl")
    for place, more in ((0, " 7"), (1, " 42"), (2, " да")):
        utterances[place] = replace(utterances[place], text=utterances[place].text + more)
    write_manifest(tmp_path / "lossy.jsonl", utterances)
    return tmp_path / "lossy.jsonl"


def test_what_the_normaliser_would_lose_is_refused_before_training(run, lossy: Path, no_training: list) -> None:
    with pytest.raises(PreflightError) as error:
        run(data={"train": [str(lossy)]})
    first, second, third, *named = str(error.value).splitlines()
    assert first == "3 of 20 utterances cannot be trained on:"
    assert "upper_letters loses digits: 3 (7 4 2) in 2 texts" in second
    assert "upper_letters loses Cyrillic letters: 2 (д а) in 1 text" in third
    assert [line.split(": ")[1] for line in named[:3]] == [
        f"upper_letters loses {c}" for c in ("'7'", "'4' '2'", "'д' 'а'")
    ]
    assert no_training == []


def test_what_it_would_lose_is_dropped_or_allowed_when_told_to(run, lossy: Path, tmp_path: Path) -> None:
    ours = [u.id for u in read_manifest(lossy)]
    assert ids(run(data={"train": [str(lossy)], "faulty": "drop"})) == ours[3:]
    record = json.loads((tmp_path / "run" / "setup.json").read_text())["record"]
    assert [f["id"] for f in record["data"]["dropped"]] == ours[:3]
    assert ids(run(data={"train": [str(lossy)], "allow_loss": True})) == ours


def test_a_dev_set_is_judged_by_all_that_is_said_or_refused(run, corpus: Path, lossy: Path) -> None:
    with pytest.raises(PreflightError, match="upper_letters loses digits"):
        run(data={"dev": str(lossy)})
    assert len(run(data={"dev": str(lossy), "faulty": "drop"}).dev) == 17


def test_a_whole_script_that_is_lost_leaves_nothing_to_drop(run, corpus: Path, tmp_path: Path) -> None:
    russian = [replace(u, text="Привет, мир") for u in read_manifest(corpus / "train.jsonl")]
    write_manifest(tmp_path / "ru.jsonl", russian)
    with pytest.raises(PreflightError, match="20 of 20 .*\n.*Cyrillic letters: 180"):
        run(data={"train": [str(tmp_path / "ru.jsonl")], "faulty": "drop"})
    with pytest.raises(TrainingError, match="no utterance with a text is left.*data.normaliser"):
        run(data={"train": [str(tmp_path / "ru.jsonl")], "allow_loss": True})


def test_the_normaliser_is_kept_with_the_run(run, tmp_path: Path) -> None:
    run(data={"normaliser": "verbatim"})
    assert json.loads((tmp_path / "run" / "setup.json").read_text())["normaliser"] == "verbatim"
    with pytest.raises(ConfigError, match="no text normaliser 'klingon'"):
        run(data={"normaliser": "klingon"})


def test_only_the_bad_one_of_two_with_one_id_is_dropped(run, corpus: Path, faulty: Path) -> None:
    manifests = [str(faulty.with_name("twin.jsonl")), str(corpus / "train.jsonl")]
    assert len(ids(run(data={"train": manifests, "faulty": "drop"}))) == 20


def test_with_a_lexicon_the_model_hears_its_phones_and_the_folder_says_which(run, corpus: Path, tmp_path: Path) -> None:
    trainer = run(data={"lexicon": str(corpus / "words.lexicon")})
    assert json.loads((tmp_path / "run" / "setup.json").read_text())["phones"] == ["a", "b", "c"]
    assert trainer.model.options["phones"] == 5
    said = {e.utterance.text: list(e.phones) for e in trainer.training_set.examples}
    assert said["BA C"] == [3, 2, 1, 4, 1]
    assert all(len(e.labels) == len(e.utterance.text) for e in trainer.training_set.examples)


def test_without_one_it_hears_none(run, tmp_path: Path) -> None:
    trainer = run()
    assert trainer.model.phone_layer is None and "phones" not in json.loads((tmp_path / "run/setup.json").read_text())
    assert not any(len(e.phones) for e in trainer.training_set.examples)


@pytest.fixture
def small_lexicon(tones: SimpleNamespace, tmp_path: Path) -> str:
    """Without ABC, which one utterance of each speaker has, the seventh."""
    (tmp_path / "small.lexicon").write_text(tones.LEXICON.replace("ABC  a b c\n", ""))
    return str(tmp_path / "small.lexicon")


def test_words_that_the_lexicon_lacks_are_refused_by_their_utterances(run, small_lexicon: str) -> None:
    with pytest.raises(PreflightError) as error:
        run(data={"lexicon": small_lexicon})
    text = str(error.value)
    assert text.startswith("2 of 20 utterances cannot be trained on:")
    assert all(f"{speaker}-6: the lexicon lacks 'ABC'" in text for speaker in ("ann", "bob"))


def test_or_dropped_when_told_to(run, small_lexicon: str, tmp_path: Path) -> None:
    trainer = run(data={"lexicon": small_lexicon, "faulty": "drop"})
    assert len(ids(trainer)) == 18 and not {"ann-6", "bob-6"} & set(ids(trainer))
    record = json.loads((tmp_path / "run" / "setup.json").read_text())["record"]
    assert [f["id"] for f in record["data"]["dropped"]] == ["ann-6", "bob-6"]


def test_a_lexicon_that_cannot_be_read_is_refused_before_training(run, tmp_path: Path, no_training: list) -> None:
    with pytest.raises(VocabularyError, match=r"none\.lexicon: no lexicon can be read"):
        run(data={"lexicon": str(tmp_path / "none.lexicon")})
    assert no_training == []


def test_where_all_are_faulty_dropping_is_refused(run, faulty: Path) -> None:
    with pytest.raises(PreflightError, match="3 of 3 utterances"):
        run(data={"train": [str(faulty)], "faulty": "drop"})


def test_bad_lines_of_a_manifest_are_refused_before_training(run, tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"audio_filepath": "a.wav", "duration": -1, "text": "A"}\nno json\n')
    with pytest.raises(ManifestError, match=r"(?s)2 bad lines.*line 1: 'duration'.*line 2: "):
        run(data={"train": [str(tmp_path / "bad.jsonl")]})


def test_a_dev_recording_that_cannot_be_read_is_refused(run, faulty: Path) -> None:
    with pytest.raises(AudioError, match=r"gone\.wav"):
        run(data={"dev": str(faulty)})


def test_dev_speakers_judge_and_held_out_speakers_do_neither(run, corpus: Path) -> None:
    manifests = [str(corpus / "train.jsonl"), str(corpus / "dev.jsonl")]
    trainer = run(data={"train": manifests, "dev": None, "dev_speakers": ["bob"], "held_out_speakers": ["cy"]})
    assert {e.utterance.speaker for e in trainer.training_set.examples} == {"ann"}
    assert {e.utterance.speaker for e in trainer.dev} == {"bob"}


@pytest.mark.parametrize("key", ["dev_speakers", "held_out_speakers"])
def test_a_speaker_nobody_is_called_is_refused(run, key: str) -> None:
    with pytest.raises(ConfigError, match=r"no utterance in .*train\.jsonl is by zoe"):
        run(data={"dev": None, key: ["ann", "zoe"]})


def test_a_dev_set_is_a_manifest_or_speakers() -> None:
    with pytest.raises(ConfigError, match=r"data\.dev and data\.dev_speakers"):
        DataOptions(train=["a"], dev="b", dev_speakers=["c"])
    with pytest.raises(ConfigError, match="c cannot be of data.dev_speakers and of data.held_out_speakers"):
        DataOptions(train=["a"], dev_speakers=["c"], held_out_speakers=["c"])


def test_nobody_left_to_train_on_is_refused(run) -> None:
    with pytest.raises(TrainingError, match="no utterance with a text is left"):
        run(data={"held_out_speakers": ["ann", "bob"]})


def test_patience_needs_a_judge(run) -> None:
    with pytest.raises(ConfigError, match=r"trainer\.patience needs a dev set"):
        run(data={"dev": None}, trainer={"patience": 2})


def test_cepstra_cannot_be_warped(run) -> None:
    with pytest.raises(ConfigError, match=r"augment\.frequency_warp needs bands"):
        run(features={"kind": "mfcc", "n_mfcc": 5}, augment={"frequency_warp": 0.1})


def test_global_normalisation_is_of_the_training_set(run) -> None:
    frames = [e.features for e in run(features={"cmvn": "global"}).training_set.examples]
    total, count = sum(f.sum(0) for f in frames), sum(map(len, frames))
    assert abs(total / count).max() < 1e-3


def test_features_come_from_the_cache_of_a_run_before(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def features(trainer: Trainer) -> list[np.ndarray]:
        return [e.features for e in (*trainer.training_set.examples, *trainer.dev)]

    computed = features(run(features={"cmvn": "global"}))
    for _ in range(2):
        cached = features(run(data={"cache_dir": str(tmp_path / "cache")}, features={"cmvn": "global"}))
        assert all(map(np.array_equal, computed, cached))
        monkeypatch.setattr(dataset, "load_audio", None)


def test_a_run_goes_on_only_with_the_utterances_it_began_with(
    run, corpus: Path, tmp_path: Path, no_training: list[Trainer]
) -> None:
    manifest = tmp_path / "mine.jsonl"
    utterances = read_manifest(corpus / "train.jsonl")
    write_manifest(manifest, utterances)
    run(data={"train": [str(manifest)]})._save()
    run(data={"train": [str(manifest)]})
    write_manifest(manifest, [*utterances[:-1], replace(utterances[-1], text="AAA")])
    with pytest.raises(ConfigError, match="began with other train utterances"):
        run(data={"train": [str(manifest)]})


def test_a_run_goes_on_only_with_the_lexicon_it_began_with(run, tones: SimpleNamespace, tmp_path: Path) -> None:
    lexicon = tmp_path / "mine.lexicon"
    lexicon.write_text(tones.LEXICON, encoding="utf-8")
    run(data={"lexicon": str(lexicon)})._save()
    run(data={"lexicon": str(lexicon)})
    lexicon.write_text(tones.LEXICON.replace("ABC  a b c\n", "ABC  a b b\n"), encoding="utf-8")
    with pytest.raises(ConfigError, match="or other pronunciations; restore manifests and lexicon"):
        run(data={"lexicon": str(lexicon)})


# Options that make no sense.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (lambda: TrainerOptions(epochs=0), "trainer.epochs must be a whole number from 1 on, got 0"),
        (lambda: TrainerOptions(epochs="ten"), "trainer.epochs must be a whole number from 1 on, got 'ten'"),
        (lambda: TrainerOptions(epochs=True), "trainer.epochs must be a whole number from 1 on, got True"),
        (lambda: TrainerOptions(1, average=0), "trainer.average must be"),
        (lambda: TrainerOptions(1, average_of="worst"), "trainer.average_of is best or last, got 'worst'"),
        (lambda: TrainerOptions(1, patience=0), "trainer.patience must be"),
        (lambda: TrainerOptions(1, max_minutes=-1), "trainer.max_minutes must be"),
        (lambda: OptimizerOptions(float("nan")), "optimizer.learning_rate must be a number from 0 on, got nan"),
        (lambda: OptimizerOptions(1, warmup=1), "optimizer.warmup must be a number from 0 to 0.99, got 1"),
        (lambda: AugmentOptions(time_share=1.5), "augment.time_share must be a number from 0 to 1, got 1.5"),
        (lambda: AugmentOptions(time_masks=1.5), "augment.time_masks must be a whole number from 0 on, got 1.5"),
        (lambda: DataOptions(train="a.jsonl"), r"data.train is a list of names, got 'a.jsonl'; write data.train=\["),
        (lambda: DataOptions(train=["a"], cache_dir=""), "data.cache_dir is a folder's name or null, got ''"),
        (lambda: DataOptions(train=["a"], faulty="keep"), "data.faulty is refuse or drop, got 'keep'"),
        (
            lambda: TrainingOptions.from_tree({"data": {"train": ["a"]}, "features": {"cmvn": "local"}}),
            "features.cmvn is utterance or smoothed or",
        ),
        (lambda: make_front_end("plp"), "no features 'plp'; there are log_mel, mfcc, power_spectrogram"),
        (lambda: make_front_end("log_mel", bands=3), "features: .*bands"),
        (lambda: make_model(4, 3, ModelOptions(units=())), "at least one recurrent layer"),
        (lambda: ModelOptions(units=[0]), r"model.units\[0\] must be a whole number from 1 on, got 0"),
        (
            lambda: TrainingOptions.from_tree({"data": {"train": ["a"]}, "model": {"units": "wide"}}),
            r"model.units must be a list of whole numbers, got 'wide'; write model.units=\[wide\]",
        ),
        (
            lambda: TrainingOptions.from_tree({"data": {"train": ["a"]}, "model": {"width": 4}}),
            "no setting 'model.width'; ",
        ),
    ],
)
def test_an_option_that_makes_no_sense_is_named(options, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        options()


@pytest.mark.parametrize("changes", [{"data": {"batch_s": 0}}, {"features": {"cmvn": "speaker"}}])
def test_a_group_s_own_options_are_checked_too(run, changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"(data\.batch_s|features\.cmvn) .* got"):
        run(**changes)


# Whose run a folder holds.

CONFIG = {"model": {"units": [8], "cell": "gru"}, "trainer": {"epochs": 3, "max_minutes": None}, "run_dir": "a"}


def changed(**trainer: Any) -> dict[str, Any]:
    return CONFIG | {"trainer": CONFIG["trainer"] | trainer}  # type: ignore[operator]


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    """The folder of a run of CONFIG that has a checkpoint."""
    same_run(tmp_path / "begun", CONFIG)
    save_checkpoint(tmp_path / "begun" / "checkpoints", 1, Checkpoint({}, {}))
    return tmp_path / "begun"


@pytest.mark.parametrize(
    ("now", "same"),
    [
        (CONFIG, True),
        (changed(max_minutes=5) | {"run_dir": "b"}, True),
        (changed(epochs=4), False),
        (CONFIG | {"seed": 1}, False),
    ],
    ids=["the same", "limits and the folder's name", "another epoch", "another setting"],
)
def test_of_the_same_run_only_limits_and_the_folders_name_may_change(
    begun: Path, now: dict[str, Any], same: bool
) -> None:
    """The folder keeps the options that the run began with."""
    with nullcontext() if same else pytest.raises(ConfigError, match="holds a run with other options"):
        same_run(begun, now)
    assert json.loads((begun / "config.json").read_text()) == CONFIG


def test_before_the_first_checkpoint_anything_may_change(tmp_path: Path) -> None:
    same_run(tmp_path, CONFIG)
    same_run(tmp_path, changed(epochs=4))
    assert json.loads((tmp_path / "config.json").read_text())["trainer"]["epochs"] == 4


@pytest.mark.parametrize("nothing", [0, 0.0, None, []])
def test_a_setting_that_came_later_and_asks_for_nothing_is_no_change(begun: Path, nothing: Any) -> None:
    same_run(begun, changed(copies=nothing))
    with pytest.raises(ConfigError, match="trainer.copies: None then, 2 now"):
        same_run(begun, changed(copies=2))


def test_each_other_change_is_named(begun: Path) -> None:
    with pytest.raises(ConfigError, match=r"\(model.units: \[8\] then, \[9\] now, trainer.epochs: 3 then, 4 now\)"):
        same_run(begun, changed(epochs=4) | {"model": {"units": [9], "cell": "gru"}})


def test_a_run_is_finished_when_its_summary_is_there(trained: Path, tmp_path: Path) -> None:
    assert finished(trained)
    assert not finished(tmp_path)
