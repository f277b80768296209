"""What a message says of an extra that is not installed: a command that installs this package, and no other."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from asr.distribution import install_command


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Install metadata of a distribution, first on the path and alone there."""

    def install(name: str, command: str = "asr.cli.main:main", direct_url: dict | None = None) -> None:
        folder = tmp_path / f"{name.replace('-', '_')}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text(f"[console_scripts]\nasr = {command}\n")
        if direct_url:
            (folder / "direct_url.json").write_text(json.dumps(direct_url))

    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    return install


def test_the_name_is_the_installed_distributions(installed) -> None:
    installed("recurrent-asr-nightly")
    assert install_command("train") == "pip install 'recurrent-asr-nightly[train]'"


def test_another_package_with_our_commands_name_is_not_taken_for_ours(installed) -> None:
    installed("asr", command="asr.main:run")
    assert install_command("mic") == "pip install 'recurrent-asr[mic]'"


@pytest.mark.parametrize("editable", [True, False])
def test_what_came_from_a_folder_is_installed_from_there(installed, tmp_path: Path, editable: bool) -> None:
    folder = tmp_path / "with space"
    folder.mkdir()
    installed("recurrent-asr", direct_url={"url": folder.as_uri(), "dir_info": {"editable": editable}})
    words = shlex.split(install_command("train"))
    assert words == ["pip", "install", *(["-e"] if editable else []), f"{folder}[train]"]


def test_a_folder_that_is_gone_is_not_named(installed, tmp_path: Path) -> None:
    installed("recurrent-asr", direct_url={"url": (tmp_path / "gone").as_uri(), "dir_info": {}})
    assert install_command("train") == "pip install 'recurrent-asr[train]'"


def test_no_message_names_a_distribution_by_hand() -> None:
    """PyPI's asr is another project with a higher version: advice to install it would replace this package."""
    package = Path(__file__).parents[1] / "asr"
    by_hand = {p.name for p in package.rglob("*.py") if "pip install '" in p.read_text(encoding="utf-8")}
    assert by_hand == {"distribution.py"}


def test_importing_the_package_reads_no_metadata() -> None:
    code = "import sys, asr, asr.distribution, asr.cli.main; print('importlib.metadata' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"
