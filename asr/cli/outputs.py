"""Checks of what a command is to write, before the work."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from asr.errors import ConfigError


def refuse_overwriting(flag: str, output: str | Path | None, read: Iterable[str | Path | None]) -> None:
    """Refuse to write over a file that the same command reads.

    Args:
        flag: what names the output, such as ``-o``.
        output: the file to write, if any.
        read: the files to read; None and what does not exist are passed over.

    Raises:
        ConfigError: the output is one of them, perhaps by another name.
    """
    if output is None or not os.path.isfile(output):
        return
    for path in read:
        if path is not None and os.path.exists(path) and os.path.samefile(output, path):
            raise ConfigError(f"{flag} {output} is the file {path} that is read; write another")
