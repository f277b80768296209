"""Language models, arrays, checkpoints, manifests and settings that are damaged: read, or refused by name."""

from __future__ import annotations

import io
import json
import random
import runpy
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asr.data import read_manifest
from asr.errors import CheckpointError, LanguageModelError
from asr.lm import NgramModel, Pronunciations, read_arpa, train_ngram, write_arpa
from asr.lm.mapped_file import map_arrays, seal, write_arrays
from asr.lm.text import read_sentences

stored = runpy.run_path(str(Path(__file__).parents[2] / "asr" / "training" / "checkpoint.py"))
"""The module of checkpoints by itself: its package imports TensorFlow, whose threads a fork does not survive."""

damage = runpy.run_path(str(Path(__file__).with_name("damage.py")))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lm") / "m.lm"
    train_ngram(["A CAGE", "CAB A CAGE", "CAB A", "ÄÖ 中文"], order=4).save(path)
    return path


def use(path: Path) -> str:
    opened = NgramModel.open(path)
    scores = [opened.sentence_log_prob(text.split()) for text in ("CAB A CAGE", "A", "", "NEVER HEARD")]
    opened.tables()
    return f"{len(opened.words)} words, {scores}"


@pytest.mark.group(".lm files")
def test_language_models(model: Path, tmp_path: Path, fuzz: Any, tally: Any) -> None:
    path = tmp_path / "m.lm"
    for number, draw in enumerate(fuzz.draws()):
        path.write_bytes(model.read_bytes())
        if number % 3:
            about, arrays = map_arrays(path)
            name = draw.choice(sorted(arrays))
            changed = damage["damage_array"](arrays[name], draw)
            if changed.ndim == 1 and changed.dtype.kind in "iuf":
                arrays = {**arrays, name: changed}
            write_arrays(path, damage["damage_tree"](about, draw) if number % 3 == 2 else about, arrays)
        else:
            damage_header(path, draw)
        tally.attempt(lambda: use(path), f"draw {number}")


def damage_header(path: Path, draw: random.Random) -> None:
    """Change the header, or any bytes, and the checksum with them where there is a place for it."""
    content = path.read_bytes()
    length = int.from_bytes(content[10:14], "little")
    if draw.random() < 0.5:
        tree = json.loads(content[14 : 14 + length])
        changed = json.dumps(damage["damage_tree"](tree, draw)).encode().ljust(length)
        content = content[:10] + len(changed).to_bytes(4, "little") + changed + content[14 + length :]
    else:
        content = damage["damage_bytes"](content, draw)
    path.write_bytes(content)
    try:
        seal(path)
    except (LanguageModelError, OSError):
        return


@pytest.mark.group(".lm files")
def test_a_language_model_whose_bytes_changed_is_never_used(model: Path, tmp_path: Path, fuzz: Any, tally: Any) -> None:
    path, content = tmp_path / "m.lm", model.read_bytes()
    for draw in fuzz.draws():
        path.write_bytes(changed := damage["damage_bytes"](content, draw))
        if changed == content:
            continue
        with pytest.raises(LanguageModelError):
            NgramModel.open(path)
        tally.add("typed error")


@pytest.mark.group("ARPA files and texts")
def test_arpa_files(model: Path, tmp_path: Path, fuzz: Any, tally: Any) -> None:
    write_arpa(tmp_path / "whole.arpa", NgramModel.open(model))
    whole = (tmp_path / "whole.arpa").read_bytes()
    for number, draw in enumerate(fuzz.draws()):
        path = tmp_path / draw.choice(("m.arpa", "m.arpa.gz", "m.arpa.xz", "m.arpa.bz2"))
        content = damage["damage_bytes"](whole, draw)
        if number % 4 == 0:
            lines = whole.split(b"\n")
            lines[draw.randrange(len(lines))] = draw.choice(
                (b"ngram 1=1000000000000", b"ngram 999=1", b"1e999 A", b"nan A", b"\\end\\", b"-1 " + b"A " * 9999)
            )
            content = b"\n".join(lines)
        path.write_bytes(content)
        tally.attempt(lambda path=path: len(read_arpa(path)), f"draw {number}: {path.name}")


@pytest.mark.group("ARPA files and texts")
@pytest.mark.parametrize("suffix", ["jsonl", "txt", "txt.gz", "tar", "tar.xz"])
def test_texts(suffix: str, tmp_path: Path, fuzz: Any, tally: Any) -> None:
    path = tmp_path / f"t.{suffix}"
    for number, draw in enumerate(fuzz.draws()):
        path.write_bytes(damage["damage_bytes"](b'{"text": "GO ON", "speaker": "A"}\n' * 50, draw))
        tally.attempt(lambda: sum(map(len, read_sentences(path))), f"draw {number}: {path.name}")


@pytest.mark.group("npz files")
@pytest.mark.parametrize("compressed", [True, False])
def test_arrays(compressed: bool, tmp_path: Path, fuzz: Any, tally: Any) -> None:
    path, made = tmp_path / "a.npz", io.BytesIO()
    arrays = {"labels": np.arange(300, dtype=np.uint8), "words": np.ones((20, 3), np.float32), "n": np.array(3)}
    (np.savez_compressed if compressed else np.savez)(made, **arrays)
    for number, draw in enumerate(fuzz.draws()):
        path.write_bytes(damage["damage_bytes"](made.getvalue(), draw))
        tally.attempt(lambda: sorted(stored["load_arrays"](path)), f"draw {number}")


@pytest.mark.group("npz files")
@pytest.mark.parametrize(
    "head",
    [
        {"descr": "|u1", "fortran_order": False, "shape": (1 << 35,)},
        {"descr": "<f8", "fortran_order": True, "shape": (1 << 20, 1 << 20, 1 << 30)},
        {"descr": "|O", "fortran_order": False, "shape": (1,)},
        {"descr": "<U1000000000", "fortran_order": False, "shape": (1,)},
        {"descr": [("a", "<f4"), ("b", "|O")], "fortran_order": False, "shape": (1,)},
        {"descr": "|V0", "fortran_order": False, "shape": (1 << 60,)},
        {"descr": "<f4", "fortran_order": False, "shape": (-1,)},
    ],
    ids=str,
)
def test_heads_that_ask_for_what_is_not_there(head: dict[str, Any], tmp_path: Path, tally: Any) -> None:
    with zipfile.ZipFile(tmp_path / "p.npz", "w", zipfile.ZIP_DEFLATED) as file:
        text = repr({**head}).encode()
        text += b" " * (63 - (len(text) + 10) % 64) + b"\n"
        file.writestr("labels.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + b"abc")
    message = tally.attempt(lambda: Pronunciations.open(tmp_path / "p.npz"), str(head))
    assert message.startswith("language-model")


@pytest.mark.group("npz files")
def test_a_bomb_is_not_unpacked(tmp_path: Path, tally: Any) -> None:
    """0.3 MB of a file that says it holds 336 MB."""
    with zipfile.ZipFile(tmp_path / "p.npz", "w", zipfile.ZIP_DEFLATED) as file, file.open("labels.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, {"descr": "|u1", "fortran_order": False, "shape": (320 << 20,)})
        for _ in range(320):
            member.write(bytes(1 << 20))
    message = tally.attempt(lambda: Pronunciations.open(tmp_path / "p.npz"), "bomb")
    assert "unpack to 335,5" in message


@pytest.mark.group("checkpoints")
def test_checkpoints(tmp_path: Path, fuzz: Any, tally: Any) -> None:
    """With the newest damaged, the one before is used; a changed newest one never is."""
    arrays = {"model/000": np.arange(50, dtype=np.float32), "model/001": np.ones((3, 4), np.float32)}
    for number, draw in enumerate(fuzz.draws()):
        folder = tmp_path / str(number)
        folder.mkdir()
        stored["save_checkpoint"](folder, 1, stored["Checkpoint"](arrays, {"step": 1}))
        stored["save_checkpoint"](folder, 2, stored["Checkpoint"](arrays, {"step": 2}))
        (folder / "1abc.json").write_text("somebody's")
        name = draw.choice(("000002.npz", "000002.json"))
        kind = "damage_json" if name.endswith("json") and number % 2 else "damage_bytes"
        (folder / name).write_bytes(damage[kind]((folder / name).read_bytes(), draw))
        tally.attempt(lambda folder=folder: stored["load_checkpoint"](folder).state, f"draw {number}: {name}")
        (folder / "000001.npz").write_bytes(b"PK")
        (folder / "000002.npz").write_bytes(b"")
        with pytest.raises(CheckpointError):
            stored["load_checkpoint"](folder)


@pytest.mark.group("manifests")
def test_manifests(tmp_path: Path, fuzz: Any, tally: Any) -> None:
    lines = [
        {"id": f"u{i}", "audio_filepath": f"a{i}.wav", "duration": 1.5, "text": "GO ON", "speaker": "s", "offset": 0.5}
        for i in range(5)
    ]
    path = tmp_path / "m.jsonl"
    for number, draw in enumerate(fuzz.draws()):
        written = [json.dumps(line).encode() for line in lines]
        at = draw.randrange(5)
        written[at] = damage["damage_json"](written[at], draw)
        content = b"\n".join(written)
        path.write_bytes(damage["damage_bytes"](content, draw) if number % 3 == 0 else content)
        tally.attempt(lambda: len(read_manifest(path)), f"draw {number}")


SETTINGS = ("trainer.epochs", "model.units", "features.sample_rate", "features.n_fft", "data.dev", "optimizer", "model")
VALUES = (
    "1",
    "8000",
    "${nope}",
    "${oc.env:NO_SUCH}",
    "${model}",
    "[${a.${b}}]",
    "null",
    "nan",
    "-1",
    "0",
    "1e999",
    "[[[]]]",
    "{a: {b: 1}}",
    "'",
    "[" * 200,
    "${" * 200,
    "x" * 10_000,
    "!!python/object/apply:os.system [ls]",
    "\0",
    "\ud800",
)


@pytest.mark.group("settings")
def test_settings(fuzz: Any, tally: Any) -> None:
    from asr.cli.composing import compose, options_of

    for number, draw in enumerate(fuzz.draws()):
        setting = f"{draw.choice(('', '+', '~', '++'))}{draw.choice(SETTINGS)}={draw.choice(VALUES)}"
        if draw.random() < 0.3:
            setting = setting[: draw.randrange(len(setting))]
        tally.attempt(
            lambda s=setting: options_of(compose(["recipe=an4", s])) and "composed", f"draw {number}: {setting!r}"
        )
