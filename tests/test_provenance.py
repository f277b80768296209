"""Where a result comes from."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import asr
from asr import provenance as module
from asr.provenance import commit, provenance


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with this one module committed."""
    package = tmp_path / "asr"
    package.mkdir()
    shutil.copy(module.__file__, package / "provenance.py")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "asr")
    git(tmp_path, "commit", "-qm", "first")
    monkeypatch.setattr(module, "__file__", str(package / "provenance.py"))
    return tmp_path


def test_it_names_versions_seed_hardware_and_time() -> None:
    found = provenance(seed=7)
    assert (found["asr"], found["seed"], found["numpy"]) == (asr.__version__, 7, np.__version__)
    assert re.fullmatch(r"\d+ cores of .+", found["hardware"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", found["date"])


def test_the_commit_is_the_checkouts(checkout: Path) -> None:
    assert commit() == git(checkout, "rev-parse", "--short=12", "HEAD")


def test_changes_not_committed_are_told(checkout: Path) -> None:
    with open(checkout / "asr" / "provenance.py", "a") as file:
        file.write("# changed\n")
    assert commit() == git(checkout, "rev-parse", "--short=12", "HEAD") + "+changes"


def test_a_file_that_git_does_not_know_is_no_change(checkout: Path) -> None:
    (checkout / "notes.txt").write_text("mine")
    assert not commit().endswith("+changes")


def test_an_environment_inside_somebody_elses_repository_is_installed(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = checkout / ".venv" / "asr"
    site.mkdir(parents=True)
    shutil.copy(checkout / "asr" / "provenance.py", site)
    monkeypatch.setattr(module, "__file__", str(site / "provenance.py"))
    assert commit() == "installed"


def test_outside_any_repository_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "__file__", str(tmp_path / "provenance.py"))
    assert commit() == "installed"
