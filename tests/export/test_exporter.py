"""A run becomes a bundle that reads, transcribes as the trained model does, and says what it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import numpy_helper

from asr.bundle import load_bundle
from asr.data import read_manifest
from asr.errors import AudioNotFoundError, CheckpointError, ConfigError, ExportError, ParityError
from asr.export import export_bundle, exporter
from asr.export.reopen import reopen
from asr.inference import load_model, texts
from asr.inference.speech_probabilities import all_speech
from asr.run_record import read_setup
from asr.text import Phones
from asr.training.checkpoint import FINAL, save_arrays
from asr.training.evaluate import transcribe_with_checkpoint
from asr.training.setup import load_trained, save_setup
from asr.training.warm_start import origin

from .conftest import CONVOLUTION

PHONES = Phones(("ə", "z"))
CARD = {
    "title": "Noise, spelt",
    "good_for": "tests",
    "not_for": "speech",
    "language": "en",
    "data": [{"name": "Noise", "licence": "CC0-1.0", "attribution": "a generator", "url": "https://example.org"}],
}


@pytest.fixture(scope="module")
def exported(run_folder: Path, manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> exporter.Export:
    out = tmp_path_factory.mktemp("out") / "bundle"
    return export_bundle(run_folder, out, card=CARD, evaluate_on=manifest, threads=1)


@pytest.fixture(scope="module")
def card(exported: exporter.Export) -> Any:
    return load_bundle(exported.path).card.to_json()


def test_float32_transcribes_as_the_trained_model(exported: exporter.Export, run_folder: Path, manifest: Path) -> None:
    utterances = read_manifest(manifest)
    trained = transcribe_with_checkpoint(run_folder, utterances)
    exported_model = load_model(exported.path, precision="float32", threads=1, speech_detector=all_speech)
    assert any(trained)
    assert list(texts(exported_model.transcribe_utterances(utterances))) == trained


def test_int8_is_there_and_is_smaller(exported: exporter.Export) -> None:
    bundle = load_bundle(exported.path)
    assert bundle.precisions == ("int8", "float32")
    sizes = {m.precision: m.size for m in exported.models}
    assert sizes == {p: bundle.model_path(p).stat().st_size for p in bundle.precisions}
    assert sizes["int8"] < sizes["float32"]
    assert load_model(exported.path, precision="int8", threads=1).transcribe(np.zeros(8000, np.float32)).duration == 0.5


def test_frames_have_their_length_in_time(exported: exporter.Export) -> None:
    assert load_bundle(exported.path).frame_s == pytest.approx(0.06)


def test_the_card_says_what_a_person_said(card: dict) -> None:
    assert {k: card[k] for k in CARD} == CARD


def test_the_card_says_how_it_was_made(card: dict) -> None:
    assert card["name"] == "small"
    assert (card["trained"]["commit"], card["trained"]["seed"], card["trained"]["finished"]) == (
        "0123456789ab",
        3,
        True,
    )
    assert card["training_data"]["train"]["speakers"] == 2
    assert card["features"] == {
        "kind": "not stated", "num_features": 20, "sample_rate": 16000, "hop_length": 160, "frames_per_s": 100.0,
    }  # fmt: skip
    assert card["config"]["data"]["normaliser"] == "upper_letters"
    assert card["exported"]["commit"]


def test_the_card_says_how_well_each_model_does(card: dict, exported: exporter.Export) -> None:
    assert card["evaluated_on"] == "sounds/test.jsonl"
    for model in exported.models:
        described = card["models"][model.precision]
        assert described["bytes"] == model.size
        assert described["utterances"] == 5
        assert described["wer"]["reference_length"] == 15
        assert (
            0 < described["wer"]["interval"]["low"] <= described["wer"]["rate"] <= described["wer"]["interval"]["high"]
        )
        assert described["cer"]["rate"] > 0
    assert card["models"]["float32"]["difference_from_trained"]["largest"] < 1e-4


def test_no_path_of_this_machine_is_in_it(card: dict, run_folder: Path, manifest: Path) -> None:
    text = json.dumps(card)
    assert str(run_folder.parent) not in text
    assert str(manifest.parent.parent) not in text


def test_a_bundle_writes_as_its_run_did(run_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(run_folder, tmp_path / "run")
    content = json.loads((folder / "setup.json").read_text())
    (folder / "setup.json").write_text(json.dumps(content | {"normaliser": "letters_and_digits"}))
    export_bundle(folder, tmp_path / "b", precisions=["float32"], threads=1)
    assert load_bundle(tmp_path / "b").normaliser == "letters_and_digits"


@pytest.mark.parametrize(
    ("configured", "normaliser"), [({"data": {"normaliser": "verbatim"}}, "verbatim"), ({}, "upper_letters")]
)
def test_a_run_from_before_it_named_its_normaliser_has_the_configured_or_the_default_of_then(
    run_folder: Path, tmp_path: Path, configured: dict, normaliser: str
) -> None:
    folder = shutil.copytree(run_folder, tmp_path / "run")
    content = json.loads((folder / "setup.json").read_text())
    del content["normaliser"]
    content["record"]["config"] = configured
    (folder / "setup.json").write_text(json.dumps(content))
    assert load_trained(folder).normaliser == normaliser


def test_without_a_manifest_the_runs_own_recordings_are_compared(run_folder: Path, tmp_path: Path) -> None:
    export = export_bundle(run_folder, tmp_path / "b", name="tiny", precisions=["int8"], threads=1)
    (model,) = export.models
    assert (model.precision, model.evaluation, model.difference.utterances) == ("int8", None, 5)
    bundle = load_bundle(export.path)
    assert (bundle.precisions, bundle.card.name, bundle.card.title) == (("int8",), "tiny", "not stated")
    assert bundle.card.evaluated_on is None


def test_a_card_in_the_runs_configuration_is_used(run_folder: Path, tmp_path: Path) -> None:
    run = _copy(run_folder, tmp_path, lambda config: config | {"card": CARD})
    assert load_bundle(export_bundle(run, tmp_path / "b", threads=1).path).card.title == "Noise, spelt"


@pytest.mark.parametrize("kind", ["run", "bundle"])
def test_the_corpora_of_what_a_run_began_with_are_named_too(kind: str, run_folder: Path, tmp_path: Path) -> None:
    options = {"cell": "lstm", "units": [16, 16], "convolution": CONVOLUTION}
    run = _copy(run_folder, tmp_path, lambda config: config | {"card": CARD, "model": options})
    start = run if kind == "run" else export_bundle(run, tmp_path / "start", precisions=["float32"], threads=1).path
    began_with = origin(reopen(start))
    assert began_with.commit == "0123456789ab"
    setup = load_trained(run)
    save_setup(run, setup, replace(read_setup(run).record, began_with=began_with))
    mine = {"name": "My voice", "licence": "CC0-1.0", "attribution": "me", "url": "https://example.org"}
    out = export_bundle(run, tmp_path / "b", card=CARD | {"data": [mine]}, threads=1)
    assert load_bundle(out.path).card.to_json()["data"] == [mine, *CARD["data"]]


@pytest.fixture
def run_with_phones(run_folder: Path, make_model: Callable, tmp_path: Path) -> Path:
    """The run with a model that hears two phones."""
    options = {"cell": "lstm", "units": [16, 16], "convolution": CONVOLUTION}
    run = _copy(run_folder, tmp_path, lambda config: config | {"model": options})
    model = make_model(num_features=20, units=(16, 16), phones=len(PHONES))
    save_setup(run, replace(load_trained(run), model=model, phones=PHONES), read_setup(run).record)
    save_arrays(run / FINAL, {f"{i:03}": np.asarray(v) for i, v in enumerate(model.variables)})
    return run


def test_phones_come_with_the_model(run_with_phones: Path, manifest: Path, tmp_path: Path) -> None:
    export = export_bundle(run_with_phones, tmp_path / "b", threads=1)
    bundle, utterances = load_bundle(export.path), read_manifest(manifest)
    assert bundle.phones == PHONES
    assert "CTC over 7 labels of characters and 4 of phones" in bundle.card.description
    read = load_model(export.path, precision="float32", threads=1, speech_detector=all_speech)
    assert list(texts(read.transcribe_utterances(utterances))) == transcribe_with_checkpoint(
        run_with_phones, utterances
    )
    found = read.log_probs(np.zeros(8000, np.float32))
    assert found.phones is not None
    assert (found.characters.shape[1], found.phones.shape[1]) == (7, 4)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_bundle_with_phones_is_opened_again(precision: str, run_with_phones: Path, tmp_path: Path) -> None:
    export = export_bundle(run_with_phones, tmp_path / "b", precisions=[precision], threads=1)
    again, trained = reopen(export.path), load_trained(run_with_phones)
    assert again.phones == trained.phones == PHONES
    assert again.model.options == trained.model.options
    for ours, theirs in zip(again.model.trainable_variables, trained.model.trainable_variables, strict=True):
        step = np.abs(theirs.numpy()).max() / 64 if precision == "int8" else 1e-7
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=step)


def test_a_graph_that_disagrees_is_not_written(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = exporter.to_onnx

    def wrong(model: Any) -> Any:
        proto = right(model)
        kernel = next(n for n in proto.graph.node if n.op_type == "MatMul").input[1]
        array = next(a for a in proto.graph.initializer if a.name == kernel)
        array.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(array)[::-1], kernel))
        return proto

    monkeypatch.setattr(exporter, "to_onnx", wrong)
    with pytest.raises(ParityError):
        export_bundle(run_folder, tmp_path / "b", threads=1)
    assert list(tmp_path.iterdir()) == []


def test_recordings_that_are_gone_are_named(run_folder: Path, tmp_path: Path) -> None:
    run = _copy(run_folder, tmp_path, lambda config: config | {"data": {"train": ["gone/train.jsonl"], "dev": None}})
    with pytest.raises(ExportError, match=r"gone/train\.jsonl.*--evaluate"):
        export_bundle(run, tmp_path / "b")
    manifest = tmp_path / "m.jsonl"
    manifest.write_text('{"audio_filepath": "gone.wav", "duration": 1, "text": "A"}\n')
    with pytest.raises(AudioNotFoundError, match=r"gone\.wav"):
        export_bundle(run, tmp_path / "b", evaluate_on=manifest)


def test_what_is_no_run_or_no_precision_is_refused(run_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no run folder"):
        export_bundle(tmp_path, tmp_path / "b")
    with pytest.raises(ExportError, match=r"float32 and int8, got \['int4'\]"):
        export_bundle(run_folder, tmp_path / "b", precisions=["int4"])


FAULTS = [
    ({k: v for k, v in CARD.items() if k != "language"}, r"card\.language must be given: text"),
    (CARD | {"licence": "MIT"}, r"no setting 'card\.licence'"),
    (CARD | {"not_for": " "}, r"card\.not_for must be text, got ' '"),
    (CARD | {"data": "AN4"}, r"card\.data must be a list of mappings, got 'AN4'"),
    (CARD | {"data": ["AN4"]}, r"card\.data\[0\] must be a mapping with the keys name, licence"),
    (CARD | {"data": [{"name": "AN4", "licence": "BSD"}]}, r"card\.data\[0\]\.attribution must be given: text"),
]


@pytest.mark.parametrize(("faulty", "message"), FAULTS)
def test_a_faulty_card_is_refused_before_any_work(faulty: dict, message: str, run_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        export_bundle(run_folder, tmp_path / "b", card=faulty)


def _copy(run_folder: Path, folder: Path, change: Any) -> Path:
    """The run with another configuration."""
    import shutil

    copy = Path(shutil.copytree(run_folder, folder / "run"))
    content = json.loads((copy / "setup.json").read_text())
    content["record"]["config"] = change(content["record"]["config"])
    (copy / "setup.json").write_text(json.dumps(content))
    return copy
