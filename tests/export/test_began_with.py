"""What a run began with, and whether it had a language model that the run's bundle is without."""

from __future__ import annotations

import shutil
from pathlib import Path

from asr.bundle import find_bundle
from asr.export.exporter import _began_with_language_model


def test_a_bundle_by_name_or_that_of_a_run_is_found(tmp_path: Path) -> None:
    shutil.copytree(find_bundle("an4"), tmp_path / "run" / "bundle")
    assert _began_with_language_model({"init_from": "an4"}) == "an4"
    assert _began_with_language_model({"init_from": str(tmp_path / "run")}) == f"{tmp_path}/run/bundle"


def test_nothing_is_found_where_there_is_nothing(tmp_path: Path) -> None:
    for config in ({}, {"init_from": None}, {"init_from": str(tmp_path)}, {"init_from": "moved"}):
        assert _began_with_language_model(config) is None
