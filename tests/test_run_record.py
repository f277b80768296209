"""What a run folder says of its run is read field by field, whichever version wrote it, or refused by name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from asr.bundle import SHIPPED
from asr.card import CardText, DataSource, PartFigures, read_card
from asr.errors import CheckpointError
from asr.provenance import provenance
from asr.run_record import DataFigures, Dropped, Origin, RunRecord, StoredSetup, read_setup, read_summary

FIGURES = PartFigures(2, 0.1, 2, "abc")
OWN = DataSource("Mine", "CC0-1.0", "me", "https://example.org")
RECORD = RunRecord(
    **provenance(3),
    tensorflow="2.20",
    config={"data": {"normaliser": "verbatim", "dev": None}},
    data=DataFigures(replace(FIGURES, said_sha256="def"), FIGURES, (Dropped("u1", "too short"),)),
    parameters=7,
    began_with=Origin("0123", (OWN,), "456"),
)
SETUP = StoredSetup({"units": [3], "dropout": None}, "letters", RECORD, ("a", "b"))


def written(folder: Path, content: Any) -> Path:
    (folder / "setup.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "stored", [SETUP, replace(SETUP, phones=None, record=replace(RECORD, began_with=None, seed=None))]
)
def test_it_is_read_as_it_was_written(stored: StoredSetup, tmp_path: Path) -> None:
    assert read_setup(written(tmp_path, stored.to_json())) == stored


def test_a_run_of_before_has_the_normaliser_of_its_configuration_or_the_one_of_then(tmp_path: Path) -> None:
    content = SETUP.to_json()
    del content["normaliser"]
    assert read_setup(written(tmp_path, content)).normaliser == "verbatim"
    content["record"]["config"] = {}
    assert read_setup(written(tmp_path, content)).normaliser == "upper_letters"


def test_of_a_run_of_before_the_whole_record_it_began_with_is_an_origin(tmp_path: Path) -> None:
    """Three runs in a row, the first of which began with a bundle; the corpora of each bind the last."""
    card = json.loads((SHIPPED / "an4" / "card.json").read_text(encoding="utf-8"))
    first = replace(SETUP, record=replace(RECORD, began_with=None)).to_json()["record"] | {"began_with": card}
    theirs = {"name": "Theirs", "licence": "MIT", "attribution": "they", "url": "https://example.com"}
    text = {"title": "t", "good_for": "g", "not_for": "n", "language": "en", "data": [theirs]}
    second = first | {"config": {"card": text}, "commit": "second", "began_with": first, "weights_sha256": "789"}
    content = SETUP.to_json()
    content["record"]["began_with"] = second
    found = read_setup(written(tmp_path, content)).record.began_with
    assert found is not None
    assert (found.commit, found.weights_sha256) == ("second", "789")
    assert found.data == (DataSource(**theirs), *read_card(SHIPPED / "an4").data)


def test_corpora_are_the_runs_own_and_those_of_what_it_began_with_each_once() -> None:
    other = replace(OWN, name="Other")
    assert RECORD.corpora((other,)) == (other, OWN)
    assert RECORD.corpora((OWN,)) == (OWN,)
    assert replace(RECORD, began_with=None).corpora((other,)) == (other,)


def test_the_text_of_the_card_is_read_from_the_configuration() -> None:
    text = CardText("t", "g", "n", "en", (OWN,))
    card = {"title": "t", "good_for": "g", "not_for": "n", "language": "en", "data": [vars(OWN)]}
    assert replace(RECORD, config={"card": card}).card == text
    assert (RECORD.card, replace(RECORD, config={"card": None}).card) == (None, None)


FAULTS: dict[str, tuple[Any, str]] = {
    "no mapping": ([], r"setup\.json: StoredSetup must be a mapping"),
    "no record": ({"model": {}, "normaliser": "letters"}, r"setup\.json: record must be given"),
    "no such field": (SETUP.to_json() | {"vowels": 5}, r"setup\.json: no setting 'vowels'"),
    "another type": (SETUP.to_json() | {"phones": {}}, r"setup\.json: phones must be a list of names, got {}"),
    "within": (
        SETUP.to_json() | {"record": SETUP.to_json()["record"] | {"data": {"train": {}, "dev": {}}}},
        r"setup\.json: record\.data\.train\.utterances must be given: a whole number",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_field_is_named_with_its_file(name: str, tmp_path: Path) -> None:
    content, message = FAULTS[name]
    with pytest.raises(CheckpointError, match=message):
        read_setup(written(tmp_path, content))


def test_what_is_no_run_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"is no run folder: setup\.json cannot be read"):
        read_setup(tmp_path)
    with pytest.raises(CheckpointError, match=r"final\.json cannot be read"):
        read_summary(tmp_path)
    (tmp_path / "final.json").write_text('{"sha256": "a", "epochs": "ten"}')
    with pytest.raises(CheckpointError, match=r"final\.json: averaged_epochs must be given: a list of whole numbers"):
        read_summary(tmp_path)
