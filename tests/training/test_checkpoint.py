"""A checkpoint is whole or does not count; what was good stays good."""

from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from asr.cli.train import run_configured
from asr.errors import CheckpointError
from asr.training.average import mean_of
from asr.training.checkpoint import Checkpoint, load_arrays, load_checkpoint, save_arrays, save_checkpoint


def numbered(number: int) -> Checkpoint:
    return Checkpoint({"w": np.full(3, number, np.float32), "seed": np.array([number], np.uint32)}, {"step": number})


@pytest.fixture
def three(tmp_path: Path) -> Path:
    for number in (5, 9, 10):
        save_checkpoint(tmp_path, number, numbered(number))
    return tmp_path


def loaded_step(folder: Path) -> int:
    checkpoint = load_checkpoint(folder)
    assert checkpoint is not None
    assert checkpoint.arrays["w"].tolist() == [checkpoint.state["step"]] * 3
    return checkpoint.state["step"]


def test_the_newest_is_loaded_as_it_was_saved(three: Path) -> None:
    checkpoint = load_checkpoint(three)
    assert checkpoint is not None
    assert checkpoint.state == {"step": 10}
    assert checkpoint.arrays["w"].dtype == np.float32 and checkpoint.arrays["seed"].dtype == np.uint32


def test_two_are_kept(three: Path) -> None:
    assert sorted(p.name for p in three.iterdir()) == ["000009.json", "000009.npz", "000010.json", "000010.npz"]


def test_a_folder_without_any_has_none(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path) is None
    assert load_checkpoint(tmp_path / "missing") is None


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("damage", "suffix"),
    [(flip_a_byte, "npz"), (truncate, "npz"), (Path.unlink, "npz"), (truncate, "json"), (Path.unlink, "json")],
)
def test_where_the_newest_is_damaged_the_one_before_is_used(three: Path, damage, suffix: str) -> None:
    damage(three / f"000010.{suffix}")
    assert loaded_step(three) == 9


def test_and_that_is_said(three: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert loaded_step(three) == 10 and not caplog.messages
    flip_a_byte(three / "000010.npz")
    loaded_step(three)
    assert caplog.messages == [f"{three}: 000010.npz has another SHA-256 than 000010.json says; the one before is used"]


def test_damage_costs_a_step_and_not_one_bit(tones: SimpleNamespace, corpus: Path, tmp_path: Path) -> None:
    damaged, whole = tmp_path / "damaged", tmp_path / "whole"
    for _ in range(2):
        run_configured(damaged, tones.tree(corpus, damaged, trainer={"max_minutes": 0}), [])
    flip_a_byte(damaged / "checkpoints" / "000002.npz")
    for folder in (damaged, whole):
        run_configured(folder, tones.tree(corpus, folder), [])
    one, other = load_arrays(damaged / "final.npz"), load_arrays(whole / "final.npz")
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_arrays_whose_index_was_never_written_do_not_count(three: Path) -> None:
    """Killed between the two files."""
    save_arrays(three / "000011.npz", numbered(11).arrays)
    assert loaded_step(three) == 10


def test_where_none_is_whole_each_fault_is_named(three: Path) -> None:
    truncate(three / "000009.npz")
    (three / "000010.npz").unlink()
    with pytest.raises(CheckpointError, match=r"(?s)000010.json: .*000009.npz has another SHA-256.*another run_dir"):
        load_checkpoint(three)


def test_saving_after_damage_removes_the_damaged_one(three: Path) -> None:
    """Training goes on from 9, so a damaged 10 must not be the newest again."""
    truncate(three / "000010.npz")
    assert loaded_step(three) == 9
    save_checkpoint(three, 9, numbered(9))
    assert sorted(p.stem for p in three.glob("*.json")) == ["000009"]


@pytest.mark.parametrize("fails", ["arrays", "index"])
def test_a_full_disk_leaves_the_one_before(three: Path, monkeypatch: pytest.MonkeyPatch, fails: str) -> None:
    def savez(file, **_: object) -> None:
        file.write(b"the first bytes")
        raise OSError(errno.ENOSPC, "No space left on device")

    def write_text(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", savez) if fails == "arrays" else patch.setattr(Path, "write_text", write_text)
        with pytest.raises(CheckpointError, match=r"00011\.(npz|json) cannot be written \(No space left on device\)"):
            save_checkpoint(three, 11, numbered(11))
    assert loaded_step(three) == 10
    assert not list(three.glob(".*"))


def test_arrays_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "w.npz").write_bytes(b"PK\x03\x04 torn")
    for name in ("w.npz", "missing.npz"):
        with pytest.raises(CheckpointError, match=name):
            load_arrays(tmp_path / name)


def test_weights_are_averaged_and_seeds_are_not(tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.npz" for n in (1, 2, 6)]
    for path in paths:
        save_arrays(path, numbered(int(path.stem)).arrays)
    mean = mean_of(paths)
    assert mean["w"].tolist() == [3, 3, 3] and mean["w"].dtype == np.float32
    assert mean["seed"].tolist() == [1]
    assert mean_of(paths[2:])["w"].tolist() == [6, 6, 6]
