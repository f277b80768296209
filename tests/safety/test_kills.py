"""A kill at any rename or sync, and a disk that is full at any write: the old or the new, whole, and nothing beside."""

from __future__ import annotations

import builtins
import errno
import hashlib
import io
import json
import os
import runpy
import shutil
import signal
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asr.bundle import load_bundle, write_bundle, write_decoder
from asr.corpora.extract import extract
from asr.corpora.fetch import fetch
from asr.corpora.importer import Archive
from asr.decoding import DecoderSettings
from asr.errors import AsrError
from asr.lm import NgramModel, train_ngram, write_arpa
from asr.staging import sweep

stored = runpy.run_path(str(Path(__file__).parents[2] / "asr" / "training" / "checkpoint.py"))
"""The module of checkpoints by itself: its package imports TensorFlow, whose threads a fork does not survive."""

POINTS = ("rename", "replace", "fsync", "unlink", "rmdir", "mkdir")
"""Calls of the system at which a command is killed, once before and once after each."""


@dataclass(frozen=True)
class Command:
    """A command that writes: how it begins, what it does, and what of it anybody can read afterwards."""

    begin: Callable[[Path], None]
    act: Callable[[Path], object]
    state: Callable[[Path], object]


def _bundle(folder: Path, title: str) -> None:
    old = load_bundle(folder / "source")
    write_bundle(
        folder / "b",
        card={**_card(folder / "source"), "title": title},
        front_end=old.front_end,
        cmvn=old.cmvn,
        vocabulary=old.vocabulary,
        normaliser=old.normaliser,
        models={"float32": old.model_path()},
        phones=old.phones,
    )


def _card(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "card.json").read_text()))


def _title(folder: Path) -> object:
    load_bundle(folder / "b")
    return _card(folder / "b")["title"]


def _settings(folder: Path) -> object:
    return load_bundle(folder / "b").decoder.beam_width


def _checkpoint(number: int) -> Any:
    return stored["Checkpoint"]({"w": np.full(1000, number, np.float32)}, {"step": number})


def _step(folder: Path) -> object:
    checkpoint = stored["load_checkpoint"](folder / "c")
    assert checkpoint is not None and (checkpoint.arrays["w"] == checkpoint.state["step"]).all()
    return checkpoint.state["step"]


def _model(text: str) -> NgramModel:
    return train_ngram([text], order=2)


def _archive(folder: Path, text: bytes) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in ("toy/a", "toy/b/c", "toy/d"):
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
    (folder / "toy.tar.gz").write_bytes(packed.getvalue())


def _fetch(folder: Path) -> None:
    """The archive is there; its checksum is held, and it is unpacked and recorded."""
    digest = hashlib.sha256((folder / "toy.tar.gz").read_bytes()).hexdigest()
    fetch([Archive("toy", "http://127.0.0.1:1/toy.tar.gz", 1, "toy", f"sha256:{digest}")], folder)


def _unpacked(folder: Path) -> object:
    """Whether the corpus is there with its lock: without the lock the next call begins anew."""
    if not (folder / "toy.tar.gz.lock.json").exists():
        return None
    return [(folder / "toy" / name).read_bytes() for name in ("a", "b/c", "d")]


COMMANDS = {
    "export": Command(lambda f: _bundle(f, "old"), lambda f: _bundle(f, "new"), _title),
    "tune": Command(
        lambda f: _bundle(f, "old"),
        lambda f: write_decoder(f / "b", DecoderSettings(beam_width=7), None, _card(f / "b")),
        _settings,
    ),
    "checkpoint": Command(
        lambda f: ((f / "c").mkdir(), stored["save_checkpoint"](f / "c", 1, _checkpoint(1)))[0],
        lambda f: stored["save_checkpoint"](f / "c", 2, _checkpoint(2)),
        _step,
    ),
    "language model": Command(
        lambda f: _model("A B").save(f / "m.lm"),
        lambda f: _model("C D E").save(f / "m.lm"),
        lambda f: NgramModel.open(f / "m.lm").words,
    ),
    "ARPA": Command(
        lambda f: write_arpa(f / "m.arpa", _model("A B")),
        lambda f: write_arpa(f / "m.arpa", _model("C D E")),
        lambda f: (f / "m.arpa").read_text(),
    ),
    "download": Command(lambda f: _archive(f, b"text" * 1000), _fetch, _unpacked),
    "unpacking": Command(
        lambda f: _archive(f, b"text" * 1000),
        lambda f: extract(f / "toy.tar.gz", f),
        lambda f: sorted(p.name for p in (f / "toy").rglob("*")) if (f / "toy").exists() else None,
    ),
}


def _killed_at(count: int, act: Callable[[], object]) -> bool:
    """Do ``act`` in a process that kills itself at the call ``count``; return whether it did."""
    process = os.fork()
    if not process:
        left = count

        def killing(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **options: Any) -> Any:
                nonlocal left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                done = real(*arguments, **options)
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return done

            return call

        for name in POINTS:
            setattr(os, name, killing(getattr(os, name)))
        try:
            act()
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(process, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "it failed without being killed"
    return os.WIFSIGNALED(status)


def _left(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.rglob(".*"))


@pytest.fixture
def begun(tmp_path: Path, spoken_bundle: Path) -> Callable[[Command, str], Path]:
    """Return a folder in which a command has begun, a new one at each call."""

    def begin(command: Command, name: str) -> Path:
        template = tmp_path / "template"
        if not template.exists():
            template.mkdir()
            (template / "source").symlink_to(spoken_bundle)
            command.begin(template)
        return shutil.copytree(template, tmp_path / name, symlinks=True)

    return begin


@pytest.mark.group("kills")
@pytest.mark.parametrize("name", COMMANDS)
def test_a_kill_at_any_rename_or_sync(name: str, begun: Callable[[Command, str], Path], tally: Any) -> None:
    command = COMMANDS[name]
    folder = begun(command, "whole")
    before = command.state(folder)
    command.act(folder)
    after = command.state(folder)
    assert before != after and not _left(folder)
    count = 0
    while True:
        count += 1
        folder = begun(command, str(count))
        if not _killed_at(count, partial(command.act, folder)):
            break
        found = command.state(folder)
        whole = found in (before, after) or (name == "unpacking" and set(found) < set(after))
        sweep.cache_clear()
        command.act(folder)
        again, left = command.state(folder), _left(folder)
        tally.add("text" if whole and again == after and not left else "lost", f"{name}, call {count}: {found} {left}")
        shutil.rmtree(folder)
    assert count > 4


class _FullDisk(io.FileIO):
    """A file on a disk that is full once ``left`` writes have been made to any file."""

    left = 0

    def write(self, content: Any) -> int:
        type(self).left -= 1
        if type(self).left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(content)


def _full_after(writes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.open
    _FullDisk.left = writes

    def opened(file: Any, mode: str = "r", buffering: int = -1, *rest: Any, **options: Any) -> Any:
        if isinstance(file, int) or not set(mode) & set("wax+"):
            return real(file, mode, buffering, *rest, **options)
        raw = _FullDisk(os.fspath(file), mode.replace("b", "").replace("t", ""))
        buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        if "b" in mode:
            return buffered
        return io.TextIOWrapper(buffered, options.get("encoding"), options.get("errors"), options.get("newline"))

    def full(*arguments: Any, **options: Any) -> int:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))  # so that shutil writes as others do

    monkeypatch.setattr(builtins, "open", opened)
    monkeypatch.setattr(io, "open", opened)
    monkeypatch.setattr(tarfile, "bltn_open", opened)
    monkeypatch.setattr(os, "sendfile", full)


@pytest.mark.group("full disks")
@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_disk_that_is_full_at_any_write(
    name: str, begun: Callable[[Command, str], Path], tally: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = COMMANDS[name]
    count, failed = 0, True
    while failed:
        folder = begun(command, str(count))
        before, outcome = command.state(folder), "text"
        with monkeypatch.context() as full:
            _full_after(count, full)
            try:
                command.act(folder)
                failed = False
            except (AsrError, OSError) as fault:
                outcome = "typed error" if isinstance(fault, AsrError) or fault.errno == errno.ENOSPC else "traceback"
        if failed and (command.state(folder) != before or _left(folder)):
            outcome = "lost"
        tally.add(outcome, f"{name}, write {count}: {_left(folder)}")
        shutil.rmtree(folder)
        count += 1
    assert count > 1
