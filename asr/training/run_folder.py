"""Whose run a folder holds, and whether it is done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asr.errors import ConfigError
from asr.files import write_json

_LIMITS = {"run_dir", "trainer.max_minutes", "trainer.checkpoint_minutes"}
"""What may change between calls; a folder may also be moved, or named another way."""


def finished(folder: str | Path) -> bool:
    """Whether the run in ``folder`` has its final weights."""
    return (Path(folder) / "final.json").is_file()


def same_run(folder: Path, config: Mapping[str, Any]) -> None:
    """Note ``config`` in a new run folder, or check that the run there has the same one.

    A run is there from its first checkpoint on; what was refused before may be mended by another option. The limits
    ``trainer.max_minutes`` and ``trainer.checkpoint_minutes`` may change between calls.

    Raises:
        ConfigError: the run there was started with other options; each is named.
    """
    path = folder / "config.json"
    if not path.is_file() or not _begun(folder):
        write_json(path, config)
        return
    before, now = _flat(json.loads(path.read_text(encoding="utf-8"))), _flat(config)
    changed = sorted(k for k in before.keys() | now.keys() if before.get(k) != now.get(k) and k not in _LIMITS)
    if changed:
        shown = ", ".join(f"{k}: {before.get(k)!r} then, {now.get(k)!r} now" for k in changed)
        raise ConfigError(f"{folder} holds a run with other options ({shown}); name another with run_dir=…")


def _begun(folder: Path) -> bool:
    return finished(folder) or any((folder / "checkpoints").glob("[0-9]*.json"))


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
