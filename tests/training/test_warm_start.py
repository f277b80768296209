"""A run that begins with another's weights knows from the first step on what the other had learned."""

from __future__ import annotations

import json
import pkgutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from asr.card import PartFigures
from asr.cli.train import run_configured
from asr.data import read_manifest, write_manifest
from asr.errors import BundleNotFoundError, ConfigError
from asr.export import export_bundle
from asr.features import SmoothedCmvn, UtteranceCmvn
from asr.files import write_json
from asr.provenance import provenance
from asr.run_record import DataFigures, Origin, RunRecord, StoredSetup
from asr.training.record import check_unchanged
from asr.training.setup import load_trained
from asr.training.trainer import Trainer


@pytest.fixture
def begun(tones: SimpleNamespace, corpus: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A run from ``trained`` with some options changed, stopped where its loop would begin."""

    def start(**changes: Any) -> Trainer:
        made: list[Trainer] = []
        monkeypatch.setattr(Trainer, "fit", lambda self: made.append(self) or "epochs")
        tree = tones.tree(corpus, tmp_path / "run", **({"model": {"units": [16]}} | changes))
        tree["init_from"] = changes.get("init_from", str(trained))
        run_configured(tmp_path / "run", tree, [])
        return made[-1]

    return start


def test_weights_and_vocabulary_are_the_others(begun, corpus: Path, trained: Path, tmp_path: Path) -> None:
    only_a = [replace(u, text="A") for u in read_manifest(corpus / "train.jsonl")]
    write_manifest(tmp_path / "a.jsonl", only_a)
    trainer, other = begun(data={"train": [str(tmp_path / "a.jsonl")]}), load_trained(trained)
    assert trainer.vocabulary == other.vocabulary
    for ours, theirs in zip(trainer.model.trainable_variables, other.model.trainable_variables, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


def test_it_is_opened_once_the_devices_are_found(begun, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers must find each other before TensorFlow's first operation, and a model of weights is many."""
    order: list[str] = []
    for name in ("asr.training.run.find_devices", "asr.export.reopen.reopen"):
        called = pkgutil.resolve_name(name)
        monkeypatch.setattr(name, lambda *a, n=name, f=called: order.append(n.rpartition(".")[2]) or f(*a))
    begun()
    assert order == ["find_devices", "reopen"]


def test_dropout_may_differ(begun) -> None:
    assert begun(model={"units": [16], "dropout": 0.4}).model.options["dropout"] == 0.4


def equal(ours: Sequence[Any], theirs: Sequence[Any]) -> bool:
    return all(np.array_equal(o.numpy(), t.numpy()) for o, t in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("top", [16, 8])
def test_a_deeper_network_may_begin_with_one_of_fewer_layers(begun, trained: Path, top: int) -> None:
    """The layer on top is new; those below are the other's, and the outputs are too where their inputs are as many."""
    ours, theirs = begun(model={"units": [16, top]}).model, load_trained(trained).model
    assert equal(ours.recurrent[0].trainable_variables, theirs.recurrent[0].trainable_variables)
    assert equal(ours.norms[0].trainable_variables, theirs.norms[0].trainable_variables)
    assert equal(ours.output_layers[0].trainable_variables, theirs.output_layers[0].trainable_variables) == (top == 16)
    assert np.any(ours.recurrent[1].kernel.numpy())


def test_a_model_that_hears_phones_may_begin_with_one_that_hears_none(begun, corpus: Path, trained: Path) -> None:
    """All that the other learned is kept; the weights of the phones are new."""
    ours, theirs = begun(data={"lexicon": str(corpus / "words.lexicon")}).model, load_trained(trained).model
    *kept, phones = ours.trainable_variables
    assert equal(kept, theirs.trainable_variables)
    assert phones is ours.phone_layer.kernel and phones.shape == (32, 5) and np.any(phones.numpy())


def test_or_with_one_that_hears_them_and_then_knows_them_by_its_labels(
    begun, hears_phones: Path, tmp_path: Path
) -> None:
    """Whatever phones this run's lexicon has beside, or lacks."""
    (tmp_path / "few.lexicon").write_text("AB a b\nBA b a\nB b\nA a\n")
    trainer = begun(init_from=str(hears_phones), data={"lexicon": str(tmp_path / "few.lexicon"), "faulty": "drop"})
    theirs = load_trained(hears_phones)
    assert equal(trainer.model.trainable_variables, theirs.model.trainable_variables)
    assert json.loads((tmp_path / "run" / "setup.json").read_text())["phones"] == list(theirs.phones.symbols)


def test_without_a_lexicon_the_phones_are_left_behind(begun, hears_phones: Path) -> None:
    ours, theirs = begun(init_from=str(hears_phones)).model, load_trained(hears_phones).model
    assert ours.phone_layer is None
    assert equal(ours.trainable_variables, theirs.trainable_variables[:-1])


def test_a_phone_that_the_other_never_heard_is_refused(begun, hears_phones: Path, tones, tmp_path: Path) -> None:
    (tmp_path / "other.lexicon").write_text(tones.LEXICON.replace(" c", " tʃ"), encoding="utf-8")
    with pytest.raises(ConfigError, match="init_from has the phones a b c; .*other.lexicon has tʃ too"):
        begun(init_from=str(hears_phones), data={"lexicon": str(tmp_path / "other.lexicon")})


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"model": {"units": [16], "cell": "lstm"}}, "model.cell is 'gru' there, 'lstm' here"),
        ({"model": {"units": [8]}}, r"model.units is \[16\] there, \[8\] here"),
        ({"model": {"units": [16]}, "features": {"n_mels": 30}}, "model.num_features is 12 there, 30 here"),
    ],
)
def test_another_model_is_refused_by_what_differs(begun, changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigError, match=f"init_from: .*{named}"):
        begun(**changes)


def test_other_features_of_as_many_numbers_have_a_normalisation_of_their_own(begun, trained: Path) -> None:
    trainer, other = begun(features={"top_db": 60.0, "cmvn": "smoothed"}), load_trained(trained)
    assert equal(trainer.model.trainable_variables, other.model.trainable_variables)
    assert isinstance(other.cmvn, UtteranceCmvn)
    assert isinstance(trainer.training_set.examples[0].cmvn, SmoothedCmvn)


@pytest.mark.parametrize(("top_db", "kept"), [(None, True), (60.0, False)])
def test_the_same_features_alone_keep_the_normalisation_they_came_with(
    begun, tones: SimpleNamespace, corpus: Path, tmp_path: Path, top_db: float | None, kept: bool
) -> None:
    """Of the other's recordings, not of these few."""
    tree = tones.tree(corpus, tmp_path / "first", model={"units": [16]}, features={"cmvn": "smoothed"})
    tree["trainer"]["epochs"] = 1
    run_configured(tmp_path / "first", tree, [])
    few = read_manifest(corpus / "train.jsonl")[:4]
    write_manifest(tmp_path / "few.jsonl", few)
    features, data = {"cmvn": "smoothed", "top_db": top_db}, {"train": [str(tmp_path / "few.jsonl")]}
    trainer = begun(init_from=str(tmp_path / "first"), features=features, data=data)
    theirs, ours = (
        one.to_arrays() for one in (load_trained(tmp_path / "first").cmvn, trainer.training_set.examples[0].cmvn)
    )
    assert np.array_equal(ours["mean"], theirs["mean"]) == kept


def test_a_folder_with_neither_run_nor_bundle_is_refused(begun, tmp_path: Path) -> None:
    with pytest.raises(BundleNotFoundError, match="no bundle"):
        begun(init_from=str(tmp_path))


def test_one_gentle_epoch_forgets_nothing(tones: SimpleNamespace, corpus: Path, trained: Path, tmp_path: Path) -> None:
    tree = tones.tree(
        corpus,
        tmp_path / "run",
        model={"units": [16]},
        optimizer={"learning_rate": 1e-4},
        trainer={"epochs": 1},
    )
    tree["init_from"] = str(trained)
    assert run_configured(tmp_path / "run", tree, []) == "epochs"
    final = json.loads((tmp_path / "run" / "final.json").read_text(encoding="utf-8"))
    assert final["dev"]["wer"] == 0


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_bundle_is_as_good_a_start(
    begun, trained: Path, tones: SimpleNamespace, corpus: Path, tmp_path: Path, precision: str
) -> None:
    export_bundle(trained, tmp_path / "bundle", evaluate_on=corpus / "dev.jsonl", precisions=[precision])
    ours, theirs = begun(init_from=str(tmp_path / "bundle")).model, load_trained(trained).model
    for mine, other in zip(ours.trainable_variables, theirs.trainable_variables, strict=True):
        step = np.abs(other.numpy()).max() / 64 if precision == "int8" else 0
        np.testing.assert_allclose(mine.numpy(), other.numpy(), atol=step / 2 + 1e-6)


def test_a_run_goes_on_with_the_weights_it_began_with(tmp_path: Path) -> None:
    """A name such as that of a bundle may stand for others when the run goes on."""
    figures = PartFigures(1, 1.0, 1, "c")
    record = RunRecord(
        **provenance(0),
        tensorflow="2",
        config={},
        data=DataFigures(figures, figures),
        parameters=1,
        began_with=Origin("d", (), "a"),
    )
    write_json(tmp_path / "setup.json", StoredSetup({}, "letters", record).to_json())
    (tmp_path / "checkpoints").mkdir()
    write_json(tmp_path / "checkpoints" / "1.json", {})
    check_unchanged(tmp_path, record)
    with pytest.raises(ConfigError, match="other weights than init_from has now"):
        check_unchanged(tmp_path, replace(record, began_with=Origin("d", (), "b")))
