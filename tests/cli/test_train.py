"""asr train: settings, mistakes in them, sweeps, Ctrl-C and going on."""

from __future__ import annotations

import json
import logging
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
from asr.cli.composing import compose, options_of
from asr.cli.main import main
from asr.distribution import install_command
from asr.errors import ConfigError

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
    assert main(["train", "--cfg", "job", "model=bigru", "model.units=[7]", f"run_dir={tmp_path / 'r'}"]) == 0
    out = capsys.readouterr().out
    assert "cell: gru\n" in out and "  - 7\n" in out and "train: ???\n" in out and "hydra" not in out
    assert not (tmp_path / "r").exists()
    assert main(["train", "init_from=an4", "--cfg", "job", "--package", "model"]) == 0
    assert "- 192\n" in capsys.readouterr().out, "what init_from brings is shown as well"
    assert main(["train", "--cfg", "hydra", "hydra.sweeper.max_batch_size=3"]) == 0
    assert "max_batch_size: 3\n" in capsys.readouterr().out


def test_hydra_tells_of_its_defaults_list() -> None:
    done = subprocess.run([sys.executable, "-m", "asr", "train", "--info", "defaults"], capture_output=True, text=True)
    assert done.returncode == 0 and "model/bilstm" in done.stdout


def test_showing_settings_imports_no_tensorflow() -> None:
    code = (
        "import sys; from asr.cli.main import main; main(['train', 'recipe=an4', '--cfg', 'job']); "
        "sys.exit(str({'tensorflow', 'keras', 'librosa', 'onnxruntime'} & set(sys.modules) or '') or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_the_train_extra_one_line_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['hydra'] = None; from asr.cli.main import main; "
        "sys.exit(main(['train', '--cfg', 'job']) * 10 + main(['recipe']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    line = f"asr: error[missing-extra]: training needs Hydra and TensorFlow; {install_command('train')}\n"
    assert (done.returncode, done.stderr, done.stdout) == (11, line * 2, "")


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
        (["recipe=an4", "features=mfc"], "no features 'mfc'; did you mean mfcc?"),
        (["+trainer.epocs=3"], "no setting 'trainer.epocs'; did you mean trainer.epochs?"),
        (["features.n_mfcc=3"], "no setting 'features.n_mfcc'; did you mean features.n_fft?"),
        (["model.convolution=[{filter: 3}]"], "no setting 'filter'; did you mean filters?"),
        (
            ["data.dev=${data.dve}"],
            "data.dev is ${data.dve}, and there is no setting 'data.dve'; did you mean data.dev?",
        ),
        (
            ["data.dev=${oc.env"],
            "'data.dev=${oc.env' cannot be read: mismatched input '{' expecting <EOF>; a text with signs or blanks "
            "needs quotation marks",
        ),
        (
            ["data.dev=${data.dev}"],
            "data.dev: Recursive interpolation detected full_key: data.dev reference_type=DataOptions "
            "object_type=DataOptions",
        ),
        (["model=null"], "Config group override must be a string or a list. Got NoneType"),
        (
            ["data.train=[a.jsonl]", "features.sample_rate=0"],
            "features.sample_rate must be a number from 1000 to 384000, got 0",
        ),
        (["data.train=[a.jsonl]", "features.n_mels=0"], "features.n_mels must be a whole number from 1 to 512, got 0"),
        (["data.dev=${oc.env:NO_SUCH}"], "data.dev is ${oc.env:NO_SUCH}, and no environment variable has this name"),
        (
            ["hydra/sweeper=bsic"],
            f"no hydra/sweeper 'bsic'; did you mean basic?; other ones are plugins: {install_command('sweep')}",
        ),
        (["hydra.run.dri=x"], "no setting 'hydra.run.dri'; asr train --hydra-help says what Hydra has"),
        (
            ["model.dropout=0.1,0.3"],
            "model.dropout has several values: -m trains each, model.dropout=[0.1,0.3] is a list",
        ),
        (["recipe=an4", "model.unit=[3]"], "no setting 'model.unit'; did you mean model.units?"),
        (["trainer.epochs"], "'trainer.epochs' is no setting; key=value is needed"),
        (["--multrun"], "unrecognized arguments: --multrun; see asr train --help"),
        (["--cfg"], "argument --cfg/-c: expected one argument; see asr train --help"),
        (["--config-dir", "/nowhere"], "--config-dir /nowhere: there is no such folder"),
        (["--config-path", "/"], "asr train has its own conf/; --config-dir DIR puts yours beside it"),
    ],
)
def test_a_mistyped_word_is_told_the_nearest(argv: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert error(argv, capsys) == f"asr: error[config]: {message}\n"


def test_settings_that_must_be_given_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert error([], capsys).startswith("asr: error[config]: data.train must be given: a recipe=NAME, or key=value")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("trainer.epochs=ten", "trainer.epochs must be a whole number, got 'ten'"),
        ("trainer.epochs=0", "trainer.epochs must be a whole number from 1 on, got 0"),
        ("trainer.patience=1.5", "trainer.patience must be a whole number or null, got 1.5"),
        ("data.train=a.jsonl", "data.train must be a list of names, got 'a.jsonl'; write data.train=[a.jsonl]"),
        ("model.units=320", "model.units must be a list of whole numbers, got 320; write model.units=[320]"),
        ("model.units=[8,wide]", "model.units[1] must be a whole number, got 'wide'"),
        ("model.layer_norm=maybe", "model.layer_norm must be true or false, got 'maybe'"),
        (
            "model.convolution=[{filters: 3, kernel: [3, 3], stride: [1]}]",
            "model.convolution[0].stride must be a list of 2 whole numbers, got [1]",
        ),
        ("model.units=[[", "'model.units=[[' cannot be read: no viable alternative at input '[['"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(
    setting: str, message: str, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = error([*settings(corpus, tmp_path / "run"), setting], capsys)
    assert said.startswith(f"asr: error[config]: {message}") and said.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: {unit: [3]}", "no setting 'model.unit'; did you mean model.units?"),
        ("model: {units: 320}", "model.units must be a list of whole numbers, got 320; write model.units=[320]"),
        ("trainer: {epochs: ten}", "trainer.epochs must be a whole number, got 'ten'"),
        ("defaults: [override /augment: noisi]", "no augment 'noisi'; did you mean noisy?"),
        (
            "data: {dev: '${oc.env:NO_SUCH}'}",
            "data.dev is ${oc.env:NO_SUCH}, and no environment variable has this name",
        ),
        ("trainer: 3", "trainer must be a mapping with the keys epochs, max_minutes, "),
        ("defaults: [qqqq]", "no recipe 'qqqq'; there are an4, an4_finetuned, "),
        ("- units", "a recipe has keys and values, got a list"),
        ("modle: {units: [3]}", "no setting 'modle'; did you mean model?"),
    ],
)
def test_a_mistake_in_a_file_is_one_line_with_the_file_and_the_key(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(f"{text}\n")
    said = error([f"recipe={tmp_path}"], capsys)
    assert said.startswith(f"asr: error[config]: {recipe}: {message}") and said.count("\n") == 1


def test_a_folder_of_ones_own_adds_options_to_the_groups(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "small.yaml").write_text("defaults: [bigru, _self_]\nunits: [5]\n")
    assert main(["train", "--config-dir", str(tmp_path), "model=small", "--cfg", "job", "--package", "model"]) == 0
    out = capsys.readouterr().out
    assert "cell: gru\n" in out and "units:\n- 5\n" in out
    (tmp_path / "model" / "small.yaml").write_text("defaults: [bigru, _self_]\nunitz: [5]\n")
    said = error(["--config-dir", str(tmp_path), "model=small", "--cfg", "job"], capsys)
    where = f"asr: error[config]: {tmp_path}/model/small.yaml: "
    assert said == f"{where}no setting 'model.unitz'; did you mean model.units?\n"


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
    return read_card(find_bundle(name)).config["model"]["dropout"]


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


def test_nothing_in_somebodys_bundle_is_resolved_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A card is not ours: what it says of model and features are plain values, or it is refused."""
    monkeypatch.setenv("SECRET", "tell nobody")
    for place, value in (("window", "${oc.env:SECRET}"), ("fmin_hz", "${trainer.seed}")):
        config = {"features": {"kind": "log_mel", place: value}}
        (tmp_path / "config.json").write_text(json.dumps(config))
        said = error([f"init_from={tmp_path}", "--cfg", "job"], capsys)
        message = f"init_from: {tmp_path} was trained with features.{place}={value!r}, which is no plain value"
        assert said == f"asr: error[config]: {message}\n"


def test_a_start_may_have_other_features_and_what_is_named_stands_above(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"features": {"kind": "mfcc", "n_mfcc": 20, "n_mels": 30}}))
    features = options_of(compose([f"init_from={tmp_path}", "data.train=[a]", "features.n_mels=33"])).features
    assert (features.kind, features.n_mfcc, features.n_mels) == ("mfcc", 20, 33)
    (tmp_path / "config.json").write_text(json.dumps({"model": {"cell": "gru", "layers": 3}}))
    with pytest.raises(ConfigError, match=f"^init_from: {tmp_path} was trained otherwise: no setting 'model.layers'"):
        compose([f"init_from={tmp_path}"])


def test_a_run_of_before_goes_on_and_its_configuration_is_read(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whole numbers where a class has floats, and settings that came later, as runs of before have them."""
    command = ["train", *settings(corpus, tmp_path / "run", epochs=1)]
    assert main(command) == 0
    path = tmp_path / "run" / "config.json"
    config = json.loads(path.read_text())
    config["data"]["batch_s"] = 6
    del config["augment"]["cut_db"], config["features"]["margin"]
    path.write_text(json.dumps(config))
    capsys.readouterr()
    assert main(command) == 0
    assert "is trained" in capsys.readouterr().out
    assert compose([f"init_from={tmp_path / 'run'}"]).features.margin == 0


# Hydra.


def test_logging_stays_as_it_is(corpus: Path, tmp_path: Path) -> None:
    """Hydra's usual configuration would disable the loggers of a program that calls this, and close their handlers."""
    logger, handler = logging.getLogger("of_a_caller"), logging.NullHandler()
    logger.addHandler(handler)
    before = (logging.root.level, list(logging.root.handlers))
    assert main(["train", *settings(corpus, tmp_path / "run", epochs=1, max_minutes=0)]) == 0
    assert (logging.root.level, list(logging.root.handlers)) == before
    assert not logger.disabled and logger.handlers == [handler]


def test_nothing_is_written_but_the_run_folder(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", *settings(corpus, Path("mine"), epochs=1)]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert not (tmp_path / "mine" / ".hydra").exists()


def test_hydras_own_run_folder_is_the_runs(corpus: Path, tmp_path: Path) -> None:
    command = settings(corpus, tmp_path / "one", epochs=1)
    assert main(["train", *command, f"hydra.run.dir={tmp_path / 'other'}"]) == 0
    assert (tmp_path / "other" / "final.json").is_file() and not (tmp_path / "one").exists()


def test_a_sweep_trains_each_job_in_a_folder_named_by_what_varies_and_ends_with_a_table(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["train", "-m", *settings(corpus, tmp_path / "sweep", epochs=1), "model.dropout=0.0,0.2"]
    assert main(argv) == 0
    jobs = [tmp_path / "sweep" / f"model.dropout={dropout}" for dropout in ("0.0", "0.2")]
    for dropout, folder in zip((0.0, 0.2), jobs, strict=True):
        assert (folder / "final.json").is_file()
        assert json.loads((folder / "setup.json").read_text())["model"]["dropout"] == dropout
    *_, heading, first, second = capsys.readouterr().out.splitlines()
    assert heading.split() == ["job", "settings", "dev", "WER", "dev", "CER", "status", "run", "folder"]
    for number, (line, folder) in enumerate(zip((first, second), jobs, strict=True)):
        dev = json.loads((folder / "log.jsonl").read_text())["dev"]
        assert line.split("  ")[0].strip() == str(number)
        rates = [f"{100 * dev[kind]:.2f} %" for kind in ("wer", "cer")]
        assert all(shown in line for shown in (folder.name, *rates, "done (epochs)", str(folder)))
    assert main([*argv[:-1], "model.dropout=0.2,0.1"]) == 0
    *_, heading, first, second = capsys.readouterr().out.splitlines()
    assert heading.startswith("job ") and "done (trained)" in first and "done (epochs)" in second, "of this call alone"


def test_a_job_that_fails_is_in_the_table_and_the_others_train(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trains = f"data.train=[{tmp_path / 'nowhere.jsonl'}],[{corpus / 'train.jsonl'}]"
    argv = [*settings(corpus, tmp_path / "sweep", epochs=1), trains, "-m"]
    assert main(["train", *argv]) == 1
    said = capsys.readouterr()
    *_, first, second = said.out.splitlines()
    name = f"data.train=[{tmp_path / 'nowhere.jsonl'}]".replace("/", "_")
    assert "error[" in first and first.endswith(str(tmp_path / "sweep" / name)), "a folder's name has no slashes"
    assert "done (epochs)" in second
    assert said.err.splitlines()[-1].startswith("asr: error[") and "Traceback" not in said.err


def test_a_sweeper_is_told_the_dev_wer_of_each_job(corpus: Path, tmp_path: Path) -> None:
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from asr.cli.composing import application, quoted
    from asr.cli.train import train_job

    overrides = [*settings(corpus, tmp_path / "run", epochs=1), "hydra.mode=RUN"]
    config = application().compose_config("train", quoted(overrides), RunMode.RUN)
    HydraConfig.instance().set_config(config)
    lowest = train_job(config)
    assert lowest == json.loads((tmp_path / "run" / "log.jsonl").read_text())["dev"]["wer"]


@pytest.mark.parametrize("setting", ["optimizer=adamw,adamv", "trainer.epochs=1,ten"])
def test_a_mistake_in_a_later_job_is_found_before_the_first_trains(
    setting: str, corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["-m", *settings(corpus, tmp_path / "sweep", epochs=1), setting]
    assert ("adamv" if "adamv" in setting else "trainer.epochs must be a whole number, got 'ten'") in error(
        argv, capsys
    )
    assert not list((tmp_path / "sweep").glob("*/config.json"))


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
