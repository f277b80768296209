"""Utterance ids for corpora without ids, the same on every machine."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from asr.corpora.disk import is_recording


def portable_ids(paths: Sequence[str]) -> list[str]:
    """Name recordings by their paths without suffix; absolute paths are first made relative to the folder they share.

    >>> portable_ids(["clips/anna/1.wav", "clips/ben/1.wav"])
    ['clips/anna/1', 'clips/ben/1']
    >>> portable_ids(["/home/me/clips/anna/1.wav", "/home/me/clips/ben/1.wav"])
    ['anna/1', 'ben/1']
    """
    absolute = [os.path.dirname(path) for path in paths if os.path.isabs(path)]
    shared = os.path.commonpath(absolute) if absolute else ""
    named = (os.path.relpath(path, shared) if os.path.isabs(path) else path for path in paths)
    return [_without_suffix(os.path.normpath(path)) for path in named]


def _without_suffix(path: str) -> str:
    return os.path.splitext(path)[0] if is_recording(Path(path)) else path
