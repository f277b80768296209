"""Runs a verb again and again in children, each stopped one step later; test_stopped_verbs.py looks at what is left.

python stopped_verb.py kill|full FOLDER VERB …

``kill`` ends the n-th child before its n-th rename or sync, ``full`` has no space left from its n-th write on, for
n = 1, 2, … until a child needs no more and succeeds. Each works in a fresh copy of FOLDER. A line of JSON for each: its
exit code, and the files that it leaves, by name, as Latin-1 text.
"""

from __future__ import annotations

import builtins
import errno
import io
import itertools
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

KILLED = 77
"""The exit code of a child that was killed."""

MOST = 200
"""Steps after which a verb is taken for one that never succeeds."""


def kill_at(step: int) -> None:
    """End this process before its ``step``-th rename or sync."""
    calls = itertools.count(1)

    def counted(function: Any) -> Any:
        def stopped(*arguments: Any, **more: Any) -> Any:
            if next(calls) == step:
                os._exit(KILLED)
            return function(*arguments, **more)

        return stopped

    for name in ("fsync", "rename", "replace"):
        setattr(os, name, counted(getattr(os, name)))


def fill_at(step: int) -> None:
    """Leave no space from this process's ``step``-th write to a file on."""
    calls = itertools.count(1)

    class Full(io.FileIO):
        def write(self, data: Any) -> int:
            if next(calls) >= step:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(data)

    really_open = io.open

    def opened(
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        **more: Any,
    ) -> Any:
        if not set(mode) & set("wax") or not isinstance(file, str | os.PathLike):
            return really_open(file, mode, buffering, encoding, errors, newline, **more)
        binary = io.BufferedWriter(Full(file, mode.replace("b", "").replace("t", "")))
        return binary if "b" in mode else io.TextIOWrapper(binary, encoding, errors, newline)

    builtins.open = io.open = opened


def child(how: str, step: int, argv: list[str]) -> int:
    """Run the verb in a child, stopped at ``step``; return its exit code."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    from asr.cli.main import main

    {"kill": kill_at, "full": fill_at}[how](step)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    code = 99
    try:
        code = main(argv)
    finally:
        os._exit(code)


def main() -> None:
    how, folder, *argv = sys.argv[1:]
    import asr.inference.transcriber  # noqa: F401  # what the children need and no thread has started in
    import asr.lm
    import asr.text.pronounce

    dict(asr.text.pronounce.pronounce(["WARM"], "en"))
    copy = Path(folder).with_name("copy")
    for step in itertools.count(1):
        shutil.copytree(folder, copy)
        os.chdir(copy)
        code = child(how, step, argv)
        files = {str(p.relative_to(copy)): p.read_bytes() for p in sorted(copy.rglob("*")) if p.is_file()}
        os.chdir("/")
        shutil.rmtree(copy)
        left = {name: content.decode("latin-1") for name, content in files.items()}
        print(json.dumps({"code": code, "files": left}), flush=True)
        if code == 0 or (how == "kill" and code != KILLED) or step == MOST:
            return


if __name__ == "__main__":
    main()
