"""The names that ``import asr`` offers, and that it costs nothing."""

from __future__ import annotations

import ast
import pydoc
import rlcompleter
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import asr
import asr.inference

NAMES = ["AsrError", "Decoding", "StreamingTranscriber", "load_audio", "load_model"]


def test_they_are_listed() -> None:
    assert {n for n in dir(asr) if not n.startswith("_")} == set(NAMES)
    assert set(asr.__all__) == {*NAMES, "__version__"}


@pytest.mark.parametrize("name", NAMES)
def test_each_is_there_and_completed(name: str) -> None:
    assert getattr(asr, name).__name__ == name
    completed = rlcompleter.Completer({"asr": asr}).complete(f"asr.{name[:-1]}", 0)
    assert completed is not None and completed.startswith(f"asr.{name}")


def test_help_describes_each() -> None:
    page = pydoc.plaintext.document(asr)
    assert [name for name in NAMES if name not in page] == []


@pytest.mark.parametrize("package", [asr, asr.inference], ids=lambda package: package.__name__)
def test_type_checkers_see_the_same_names(package: ModuleType) -> None:
    """Those imported for them alone, at the top of the file, are those that are imported on first use."""
    assert package.__file__
    tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == package._HOMES


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(asr.__file__).parent / "py.typed").is_file()


def test_the_root_of_all_errors_is_public() -> None:
    with pytest.raises(asr.AsrError):
        asr.load_model("no such model")


def test_another_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="module 'asr' has no attribute 'transcribe'"):
        asr.transcribe  # noqa: B018
    with pytest.raises(AttributeError, match=r"module 'asr\.inference' has no attribute 'transcribe'"):
        asr.inference.transcribe  # noqa: B018


def test_importing_it_imports_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import asr; dir(asr)"
    code += "; print({m for m in set(sys.modules) - before if m.startswith(('asr.', 'numpy'))})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "{'asr.lazy'}\n"
