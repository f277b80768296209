"""Imports point one way, along the way of the data, and TensorFlow stays in its rooms (DESIGN: rooms)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "asr"
GROUND = {
    "arrays",
    "errors",
    "files",
    "languages",
    "lazy",
    "provenance",
    "checks",
    "distribution",
    "onnx_file",
    "onnx_runtime",
    "rates",
    "staging",
    "stored_arrays",
    "stored_json",
    "typed",
}
LIGHT = {
    "audio",
    "text",
    "features",
    "data",
    "lm",
    "decoding",
    "evaluation",
    "card",
    "run_record",
    "bundle",
    "inference",
    "alignment",
    "tuning",
}
MAY_IMPORT = {
    "audio": set(),
    "text": set(),
    "features": {"audio"},
    "data": {"audio", "features", "text"},
    "corpora": {"data", "audio"},
    "lm": {"text"},
    "decoding": {"text", "lm"},
    "evaluation": {"text", "audio", "decoding"},
    "leaks": {"audio", "text", "data"},
    "card": set(),
    "run_record": {"card"},
    "bundle_parts": {"features", "text", "lm", "decoding"},
    "bundle": {"features", "text", "lm", "decoding", "bundle_parts", "card"},
    "inference": {"audio", "text", "features", "data", "lm", "decoding", "bundle"},
    "alignment": {"audio", "text", "data", "decoding", "bundle", "inference"},
    "tuning": {"audio", "text", "data", "lm", "decoding", "evaluation", "card", "bundle", "inference"},
    "options": {"text", "features", "data"},
    "models": {"text", "options"},
    "training": {
        "audio",
        "text",
        "features",
        "data",
        "lm",
        "decoding",
        "evaluation",
        "card",
        "run_record",
        "options",
        "models",
    },
    "export": {*LIGHT, "options", "models", "training"},
    "recipe": {*LIGHT, "corpora", "options", "models", "training", "export"},
    "server": {"audio", "decoding", "card", "bundle", "inference"},
}
"""What each room may import beside itself and the ground; cli may import anything, and nothing imports cli."""

TENSORFLOW_ROOMS = {"models", "training", "export"}
FRAMEWORKS = {"tensorflow", "keras"}
TRAINING_ONLY = {*FRAMEWORKS, "librosa", "hydra", "omegaconf", "numba", "onnx", "matplotlib"}


def imports(path: Path) -> Iterator[str]:
    """Every module imported anywhere in a file, in functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def files(room: str) -> list[Path]:
    folder = PACKAGE / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]


def test_every_room_is_known() -> None:
    rooms = {p.stem for p in PACKAGE.iterdir() if p.is_dir() and (p / "__init__.py").is_file()}
    assert rooms - {"cli"} <= set(MAY_IMPORT)


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_comes_before_it(room: str) -> None:
    for path in files(room):
        used = {name.split(".")[1] for name in imports(path) if name.startswith("asr.")}
        assert used <= MAY_IMPORT[room] | {room} | GROUND, path.name


@pytest.mark.parametrize("room", sorted({*MAY_IMPORT, *GROUND, "cli"} - TENSORFLOW_ROOMS))
def test_tensorflow_stays_in_its_rooms(room: str) -> None:
    for path in files(room):
        assert not {name.split(".")[0] for name in imports(path)} & FRAMEWORKS, path.name


def test_onnx_runtime_is_imported_in_one_place() -> None:
    """So that its telemetry is off before it is there; ``quantization`` comes after, in the file that asks for both."""
    found = {p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("*.py") if "onnxruntime" in set(imports(p))}
    assert found == {"onnx_runtime.py"}


@pytest.mark.parametrize("room", sorted(LIGHT - {"features"}))
def test_the_light_path_names_nothing_of_the_train_extra(room: str) -> None:
    """features has librosa freeze arrays for training, in a function; the other light rooms never name it."""
    for path in files(room):
        assert not {name.split(".")[0] for name in imports(path)} & TRAINING_ONLY, path.name


@pytest.mark.parametrize("room", sorted({*MAY_IMPORT, *GROUND}))
def test_hydra_stays_in_cli(room: str) -> None:
    """Library code takes frozen dataclasses of options, wherever they come from."""
    for path in files(room):
        assert not {name.split(".")[0] for name in imports(path)} & {"hydra", "omegaconf"}, path.name
