"""asr train: settings, mistakes in them, sweeps, Ctrl-C and going on."""

from __future__ import annotations

import json
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from asr.bundle import find_bundle, read_card
from asr.cli.main import main
from asr.cli.train import compose, sweep

TONES = runpy.run_path(str(Path(__file__).parents[1] / "training" / "tones.py"))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return TONES["make_corpus"](tmp_path_factory.mktemp("tones"))


def settings(corpus: Path, run_dir: Path, **trainer: Any) -> list[str]:
    """A tiny training on the tones, as key=value."""
    return [
        f"data.train=[{corpus / 'train.jsonl'}]",
        f"data.dev={corpus / 'dev.jsonl'}",
        "data.batch_s=6",
        f"data.cache_dir={corpus / 'cache'}",
        "features.sample_rate=8000",
        "features.n_fft=256",
        "features.win_length=200",
        "features.hop_length=80",
        "features.n_mels=12",
        "model=bigru",
        "model.units=[8]",
        "model.convolution=[]",
        "trainer.average=1",
        *(f"trainer.{k}={v}" for k, v in trainer.items()),
        f"run_dir={run_dir}",
    ]


def error(argv: Sequence[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What ``asr train`` says when it ends with 1."""
    assert main(["train", *argv]) == 1
    return capsys.readouterr().err


# Help and settings.


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_needs_no_tensorflow(flag: str) -> None:
    code = (
        f"import sys; from asr.cli.main import main; main(['train', '{flag}']); "
        "sys.exit(str({'tensorflow', 'keras', 'hydra', 'numpy'} & set(sys.modules) or '') or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("asr train recipe=NAME key=value")


def test_cfg_prints_the_settings_and_trains_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["train", "--cfg", "model=bigru", "model.units=[7]", f"run_dir={tmp_path / 'r'}"]) == 0
    out = capsys.readouterr().out
    assert "cell: gru\n" in out and "  - 7\n" in out
    assert not (tmp_path / "r").exists()


def test_a_recipe_changes_what_it_names_and_a_setting_changes_the_recipe() -> None:
    plain, recipe = compose([]), compose(["recipe=an4"])
    assert recipe.model.units != plain.model.units
    assert recipe.model.cell == plain.model.cell
    assert compose(["recipe=an4", "model.units=[3]"]).model.units == [3]
    assert (plain.run_dir, recipe.run_dir) == ("runs/train", "runs/an4")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["trainer.epohcs=4"], "no setting 'trainer.epohcs'; did you mean trainer.epochs?"),
        (["recipe=am4"], "no recipe 'am4'; did you mean an4?"),
        (["model=bilstn"], "no model 'bilstn'; did you mean bilstm?"),
        (["modle=bilstm"], "no setting 'modle'; did you mean model?"),
        (["recipe=an4", "model.unit=[3]"], "no setting 'model.unit'; did you mean model.units?"),
        (["trainer.epochs"], "'trainer.epochs' is no setting; key=value is needed"),
        (["--multrun"], "asr train has no flag --multrun; see asr train --help"),
    ],
)
def test_a_mistyped_word_is_told_the_nearest(argv: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert error(argv, capsys) == f"asr: error[config]: {message}\n"


def test_settings_that_must_be_given_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert error([], capsys).startswith("asr: error[config]: data.train must be given: a recipe=NAME, or key=value")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("trainer.epochs=ten", "trainer.epochs must be a whole number from 1 on, got 'ten'"),
        ("+trainer.epocs=3", "no such setting: TrainerOptions.__init__() got an unexpected keyword argument 'epocs'"),
        ("data.train=a.jsonl", "data.train is a list of names, got 'a.jsonl'; write data.train=[a.jsonl]"),
        ("model.units=[[", "no viable alternative at input '[['"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(
    setting: str, message: str, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in error([*settings(corpus, tmp_path / "run"), setting], capsys)


# Training.


def test_a_run_ends_and_the_same_command_says_so(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", *settings(corpus, tmp_path / "run", epochs=1)]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "epoch 1/1  loss " in out and "dev WER " in out and "  ref ab\n" in out
    assert out.endswith(f"{tmp_path / 'run'}: done (epochs)\n")
    lines = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1]
    assert list((tmp_path / "run" / "events").iterdir())
    assert main(command) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'run'} is trained; its weights are in final.npz\n"
    message = error([*command[1:], "model.units=[9]"], capsys)
    assert "holds a run with other options (model.units: [8] then, [9] now)" in message


def test_what_the_pre_flight_refuses_is_mended_as_it_says(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = (corpus / "train.jsonl").read_text()
    bad = json.loads(good.splitlines()[0]) | {"id": "bad", "text": ""}
    (tmp_path / "train.jsonl").write_text(good + json.dumps(bad))
    argv = [*settings(corpus, tmp_path / "run", epochs=1), f"data.train=[{tmp_path / 'train.jsonl'}]"]
    assert "bad: the transcript is empty" in error(argv, capsys)
    assert main(["train", *argv, "data.faulty=drop"]) == 0


def test_a_folder_may_have_any_name(corpus: Path, tmp_path: Path) -> None:
    assert compose([f"run_dir={tmp_path}/my run (a=1), two"]).run_dir == f"{tmp_path}/my run (a=1), two"


def test_a_run_out_of_minutes_says_that_the_same_command_goes_on(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *settings(corpus, tmp_path / "run", epochs=1, max_minutes=0)]) == 0
    assert capsys.readouterr().out.endswith("out of minutes; the same command goes on\n")


def test_a_start_brings_its_model_and_features_along() -> None:
    config = compose(["init_from=an4", "data.train=[mine.jsonl]", "model.dropout=0.1"])
    assert (config.model.cell, list(config.model.units), config.model.dropout) == ("lstm", [192, 192, 192], 0.1)
    assert [c.stride[0] for c in config.model.convolution] == [3, 1]
    assert compose(["init_from=an4", "model=bigru"]).model.cell == "gru"


def test_a_start_brings_its_normaliser_along_unless_another_is_given() -> None:
    assert compose(["data.train=[mine.jsonl]"]).data.normaliser == "letters"
    assert compose(["init_from=an4", "data.train=[mine.jsonl]"]).data.normaliser == "upper_letters"
    assert compose(["init_from=an4", "data.normaliser=verbatim"]).data.normaliser == "verbatim"
    assert compose(["recipe=librispeech", "init_from=an4"]).data.normaliser == "upper_letters"


def bundled_dropout(name: str) -> float:
    return read_card(find_bundle(name))["config"]["model"]["dropout"]


def test_a_recipe_that_names_its_start_changes_what_it_says_itself() -> None:
    config = compose(["recipe=an4_finetuned"])
    assert (config.init_from, config.model.convolution[0].filters, config.model.dropout) == ("librispeech_13h", 24, 0.3)
    inherited = compose(["recipe=fsdd_open"])  # by recipe telephone_13h, which it begins with
    assert (inherited.init_from, inherited.features.sample_rate) == ("librispeech_13h", 8000)
    other = compose(["recipe=an4", "init_from=librispeech_13h"])
    assert (list(other.model.units), other.model.dropout) == ([256] * 3, bundled_dropout("librispeech_13h"))


def test_a_start_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "init_from=nowhere", "data.train=[mine.jsonl]"]) == 1
    assert "no bundle 'nowhere'" in capsys.readouterr().err


def test_a_sweep_names_its_jobs_by_what_varies() -> None:
    jobs = list(sweep(["recipe=an4", "model.dropout=0.1,0.3", "data.train=[a/b],[c/d]"]))
    assert [j[-1] for j in jobs] == [
        f"run_dir=runs/an4/sweep/model.dropout={d},data.train=[{t}]" for d in ("0.1", "0.3") for t in ("a_b", "c_d")
    ]
    assert jobs[1][:-1] == ["recipe=an4", "model.dropout=0.1", "data.train=[c/d]"]


def test_a_sweep_trains_each_job_in_its_own_folder(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["train", "-m", *settings(corpus, tmp_path / "sweep", epochs=1), "model.dropout=0.0,0.2"]
    assert main(argv) == 0
    for dropout in ("0.0", "0.2"):
        folder = tmp_path / "sweep" / f"model.dropout={dropout}"
        assert (folder / "final.json").is_file()
        assert json.loads((folder / "setup.json").read_text())["model"]["dropout"] == float(dropout)
    assert "job 2 of 2: " in capsys.readouterr().out


def test_a_mistake_in_a_later_job_is_found_before_the_first_trains(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["-m", *settings(corpus, tmp_path / "sweep", epochs=1), "optimizer=adamw,adamv"]
    assert "no optimizer 'adamv'; did you mean adamw?" in error(argv, capsys)
    assert not (tmp_path / "sweep").exists()


def test_ctrl_c_while_features_are_computed_says_that_nothing_is_kept(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from asr.training import run

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "compute_features", interrupted)
    assert main(["train", *settings(corpus, tmp_path / "run", epochs=1)]) == 130
    assert capsys.readouterr().err == "stopped; the same command goes on from the start\nasr: interrupted\n"


def test_ctrl_c_leaves_a_checkpoint_and_the_same_command_goes_on(corpus: Path, tmp_path: Path) -> None:
    """As a person sees it: a terminal's interrupt, exit code 130, one line; then the rest of the epochs."""
    run_dir = tmp_path / "run"
    command = [sys.executable, "-m", "asr", "train", *settings(corpus, run_dir, epochs=20)]
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout and process.stderr
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        complaint = process.stderr.read()
    assert first.startswith("epoch 1/20  loss ")
    assert process.returncode == 130
    newest = max(int(p.stem) for p in (run_dir / "checkpoints").glob("*.json"))
    assert complaint == (
        f"stopped; the same command goes on after step {newest}, which {run_dir / 'checkpoints'} holds\n"
        "asr: interrupted\n"
    )
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "epoch 1/20" not in done.stdout
    assert done.stdout.endswith(f"{run_dir}: done (epochs)\n")
    epochs = [json.loads(line)["epoch"] for line in (run_dir / "log.jsonl").read_text().splitlines()]
    assert epochs == list(range(1, 21))
