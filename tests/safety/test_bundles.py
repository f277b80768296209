"""A bundle whose checksums agree and whose content does not: a text, or an error that names the file, and no more."""

from __future__ import annotations

import json
import os
import random
import runpy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from asr.bundle import load_bundle
from asr.errors import BundleCorruptError
from asr.files import sha256_of
from asr.inference import load_model
from asr.lm.mapped_file import map_arrays, seal, write_arrays

damage = runpy.run_path(str(Path(__file__).with_name("damage.py")))
pytestmark = pytest.mark.group("bundles")
SECRET = "WORDS THAT NOBODY SAID"


def reseal(folder: Path, rest: dict[str, Any] | None = None) -> None:
    """Have ``bundle.json`` agree with the files as they are."""
    hashes = {p.name: sha256_of(p) for p in folder.iterdir() if p.name != "bundle.json" and p.is_file()}
    (folder / "bundle.json").write_text(json.dumps({"format": 1, "sha256": hashes, **(rest or {})}))


def damage_json_part(folder: Path, draw: random.Random) -> str:
    path = draw.choice(sorted(p for p in folder.glob("*.json") if p.name != "bundle.json"))
    path.write_bytes(damage["damage_json"](path.read_bytes(), draw))
    return path.name


def damage_npz(folder: Path, draw: random.Random) -> str:
    path = draw.choice(sorted(folder.glob("*.npz")))
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    name = draw.choice(sorted(arrays))
    if draw.random() < 0.15:
        del arrays[name]
    elif draw.random() < 0.1:
        arrays[draw.choice(("more", "top_db", "dct", "delta", "prior_frames"))] = arrays[name]
    else:
        arrays[name] = damage["damage_array"](arrays[name], draw)
    np.savez(path, allow_pickle=False, **arrays)
    return f"{path.name} {name}"


def damage_model(folder: Path, draw: random.Random) -> str:
    """Change a model as somebody would who has the package ``onnx``."""
    path = folder / "float32.onnx"
    model = onnx.load(path)
    graph, way = model.graph, draw.randrange(9)
    if way == 0:
        tensor = draw.choice(list(graph.initializer))
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="../../../../../../../../etc/passwd")
    elif way == 1:
        draw.choice(list(graph.node)).domain = draw.choice(("com.microsoft", "evil", "ai.onnx.ml"))
    elif way == 2:
        model.opset_import.add(domain=draw.choice(("com.microsoft", "evil")), version=1)
    elif way == 3:
        draw.choice([*graph.input, *graph.output]).name = draw.choice(("x", "", "features", "log_probs"))
    elif way == 4:
        port = draw.choice([*graph.input, *graph.output])
        port.type.tensor_type.elem_type = draw.choice((1, 7, 8, 10, 11))
    elif way == 5:
        draw.choice(list(draw.choice([*graph.input, *graph.output]).type.tensor_type.shape.dim)).dim_value = 7
    elif way == 6:
        del graph.node[draw.randrange(len(graph.node))]
    elif way == 7:
        node = draw.choice(list(graph.node))
        node.op_type = draw.choice(("Identity", "Loop", "If", "Exp", "ConstantOfShape", "Expand", "Nonsense"))
    else:
        tensor = draw.choice(list(graph.initializer))
        array = damage["damage_array"](onnx.numpy_helper.to_array(tensor), draw)
        if array.dtype.kind in "fiu":
            tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
    path.write_bytes(model.SerializeToString())
    return f"model, way {way}"


def damage_language_model(folder: Path, draw: random.Random) -> str:
    path = folder / "language_model.lm"
    about, arrays = map_arrays(path)
    name = draw.choice(sorted(arrays))
    changed = damage["damage_array"](arrays[name], draw)
    if draw.random() < 0.3:
        about, name = damage["damage_tree"](about, draw), "about"
    elif changed.ndim == 1 and changed.dtype.kind in "iuf":
        arrays = {**arrays, name: changed}
    write_arrays(path, about, arrays)
    if draw.random() < 0.3:
        path.write_bytes(damage["damage_bytes"](path.read_bytes(), draw))
        try_to_seal(path)
    return f"language_model.lm {name}"


def try_to_seal(path: Path) -> None:
    try:
        seal(path)
    except Exception:  # The header has no place for a checksum any more.
        return


def damage_any_bytes(folder: Path, draw: random.Random) -> str:
    path = draw.choice(sorted(p for p in folder.iterdir() if p.name != "bundle.json"))
    path.write_bytes(damage["damage_bytes"](path.read_bytes(), draw))
    return f"{path.name}, bytes"


def drop_a_part(folder: Path, draw: random.Random) -> str:
    path = draw.choice(sorted(p for p in folder.iterdir() if p.name != "bundle.json"))
    path.unlink()
    return f"without {path.name}"


WAYS: tuple[Callable[[Path, random.Random], str], ...] = (
    damage_json_part,
    damage_npz,
    damage_model,
    damage_language_model,
    damage_any_bytes,
    drop_a_part,
)


def read(folder: Path, tones: dict[str, Any]) -> str:
    return load_model(folder, threads=1, speech_detector=tones["loud"]).transcribe(tones["speak"]("CAB A CAGE")).text


def test_a_whole_one_is_read(spoken_bundle: Path, tones: dict[str, Any]) -> None:
    assert read(spoken_bundle, tones) == "CAB A CAGE"


def test_what_is_damaged_and_agrees_with_its_checksums(
    spoken_bundle: Path, tones: dict[str, Any], tmp_path: Path, fuzz: Any, tally: Any
) -> None:
    for number, draw in enumerate(fuzz.draws()):
        folder = shutil.copytree(spoken_bundle, tmp_path / str(number))
        what = WAYS[number % len(WAYS)](folder, draw)
        reseal(folder)
        tally.attempt(lambda folder=folder: read(folder, tones), f"draw {number}: {what}")
        shutil.rmtree(folder)


def test_one_bit_that_flipped_in_a_part_is_always_noticed(
    spoken_bundle: Path, tmp_path: Path, fuzz: Any, tally: Any
) -> None:
    folder = shutil.copytree(spoken_bundle, tmp_path / "b")
    names = sorted(p.name for p in folder.iterdir() if p.name != "bundle.json")
    for number, draw in enumerate(fuzz.draws()):
        path = folder / names[number % len(names)]
        content = path.read_bytes()
        at = draw.randrange(len(content))
        path.write_bytes(content[:at] + bytes([content[at] ^ 1 << draw.randrange(8)]) + content[at + 1 :])
        with pytest.raises(BundleCorruptError, match=f"{path.name} has SHA-256"):
            load_bundle(folder)
        tally.add("typed error")
        path.write_bytes(content)


def test_an_index_that_is_damaged(
    spoken_bundle: Path, tones: dict[str, Any], tmp_path: Path, fuzz: Any, tally: Any
) -> None:
    folder = shutil.copytree(spoken_bundle, tmp_path / "b")
    content = (folder / "bundle.json").read_bytes()
    for number, draw in enumerate(fuzz.draws()):
        kind = "damage_json" if number % 2 else "damage_bytes"
        (folder / "bundle.json").write_bytes(damage[kind](content, draw))
        tally.attempt(lambda: read(folder, tones), f"draw {number}: bundle.json")


@pytest.mark.parametrize("way", ["outside", "unlisted", "link", "fifo", "folder"])
def test_files_that_are_not_the_bundles_own_are_refused_before_a_session_is_made(
    way: str, spoken_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tally: Any
) -> None:
    folder = shutil.copytree(spoken_bundle, tmp_path / "b")
    (tmp_path / "weights.bin").write_bytes(SECRET.encode() * 100)
    if way == "link":
        (folder / "card.json").rename(tmp_path / "card.json")
        (folder / "card.json").symlink_to(tmp_path / "card.json")
    elif way == "fifo":
        (folder / "card.json").unlink()
        os.mkfifo(folder / "card.json")
    elif way == "folder":
        (folder / "more").mkdir()
    else:
        place = "../weights.bin" if way == "outside" else "weights.bin"
        model = onnx.load(folder / "float32.onnx")
        external = TensorProto(name="W", data_type=TensorProto.UINT8, dims=[8], data_location=TensorProto.EXTERNAL)
        external.external_data.add(key="location", value=place)
        model.graph.initializer.append(external)
        (folder / "float32.onnx").write_bytes(model.SerializeToString())
        if way == "unlisted":
            shutil.copy(tmp_path / "weights.bin", folder)
    listed = json.loads((folder / "bundle.json").read_text())["sha256"]
    listed |= {name: sha256_of(folder / name) for name in listed if (folder / name).is_file()}
    (folder / "bundle.json").write_text(json.dumps({"format": 1, "sha256": listed}))
    monkeypatch.setattr("asr.onnx_runtime.import_onnxruntime", lambda: pytest.fail("a session was made"))
    with pytest.raises(BundleCorruptError):
        load_bundle(folder)
    tally.add("typed error")


def test_a_model_of_another_vocabulary_is_refused(spoken_bundle: Path, tmp_path: Path, tally: Any) -> None:
    folder = shutil.copytree(spoken_bundle, tmp_path / "b")
    content = json.loads((folder / "vocabulary.json").read_text())
    content["characters"].append("H")
    (folder / "vocabulary.json").write_text(json.dumps(content))
    reseal(folder)
    with pytest.raises(BundleCorruptError, match=r"float32\.onnx: .*\(any, any, 19\), .* is needed, got .* any, 18\)"):
        load_bundle(folder)
    tally.add("typed error")


def test_a_model_that_gives_other_frames_than_it_says_is_refused(
    spoken_bundle: Path, tones: dict[str, Any], tmp_path: Path, tally: Any
) -> None:
    folder = shutil.copytree(spoken_bundle, tmp_path / "b")
    model = onnx.load(folder / "float32.onnx")
    last = model.graph.node[-1]
    last.output[0] = "right"
    model.graph.node.append(helper.make_node("Concat", ["right", "right"], ["log_probs"], axis=0))
    (folder / "float32.onnx").write_bytes(model.SerializeToString())
    reseal(folder)
    with pytest.raises(BundleCorruptError, match=r"log_probs \(2, .* \(1, frames, 18\) is announced"):
        read(folder, tones)
    tally.add("typed error")
