"""Atomic writing of files, their checksums, and the folders that are installed with the package."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from asr.errors import ConfigError
from asr.staging import temporary_file


@contextmanager
def write_atomically(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; when the block succeeds, sync the file and rename it to ``path``.

    If the block raises, ``path`` stays as it was and the temporary file is deleted.
    """
    path = Path(path)
    with temporary_file(path) as temporary:
        yield temporary
        sync(temporary)
        temporary.chmod(0o644)
        temporary.replace(path)
        sync(path.parent)


def write_json(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write ``content`` atomically as JSON, indented so that people can read it."""
    with write_atomically(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def sync(path: Path) -> None:
    """Have the disk hold what was written to a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def share_folder(name: str) -> Path:
    """Find the folder ``conf`` or ``recipes``: beside the package in a checkout, inside it in an installed wheel.

    Raises:
        ConfigError: the folder is in neither place; the installation is damaged.
    """
    package = Path(__file__).parent
    places = [package / "_share" / name, package.parent / name]
    for place in places:
        if place.is_dir():
            return place
    raise ConfigError(f"no folder {name}/ in {' or '.join(map(str, places))}; install asr again")
