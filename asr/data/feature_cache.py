"""A cache of features on disk, so that each recording is decoded once: shards of frames, mapped into memory.

    cache/features/
      recordings.json    path → size, time of change, SHA-256, so that unchanged files are not hashed again
      3f2a…/             a front end, named by the digest of its arrays
        9c41….f32        a shard: frames (N, F) of many utterances, one after the other, float32
        9c41….json       its index, written last: utterance's key → [first frame, number of frames]

An utterance's key is the SHA-256 of its recording's bytes, with its offset and duration. The key of an augmented copy
adds the settings of the augmentation and the utterance's id, which seeds its draws. A shard is named by the digest of
its frames and its index, and never changes. So any number of processes may read and write at once: each writes its
own shards (equal ones under equal names), a reader sees only whole shards, and what a killed writer left is ignored.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
import os
import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from asr.arrays import Features
from asr.data.augment.alteration import Copy
from asr.data.utterance import Utterance
from asr.errors import CacheError
from asr.features import FrontEnd
from asr.files import sha256_of, write_atomically
from asr.stored_json import parse_json, read_json

_VERSION = 1
"""Version of the features; raise it when ``load_audio`` or ``FrontEnd`` gives other frames for the same input."""

_DTYPE = np.dtype("<f4")

_SHARD_BYTES = 1 << 28
"""Size of a shard, 4.7 hours at 40 features and 100 frames per second: few files to open, little lost if killed."""

_DEAD_S = 24 * 3600
"""Age at which a file without an index is taken to have no writer any more."""

_SETTLED_S = 2.0
"""A recording changed so recently may change again within its timestamp's resolution; it is hashed again next time."""

_log = logging.getLogger(__name__)


def front_end_folder(cache_dir: Path, front_end: FrontEnd) -> Path:
    """Return the folder for the features of ``front_end``: another window, rate or band has another folder."""
    digest = hashlib.sha256(f"version {_VERSION}\n".encode())
    for name, array in sorted(front_end.to_arrays().items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode() + array.tobytes())
    return cache_dir / digest.hexdigest()[:16]


def utterance_keys(utterances: Sequence[Utterance], cache_dir: Path) -> list[str | None]:
    """Return each utterance's key, made of its recording's content, not its path, or None if that cannot be read."""
    contents = _contents({u.audio_filepath for u in utterances}, cache_dir / "recordings.json")
    return [
        f"{content} {u.offset!r} {u.duration!r}" if (content := contents.get(u.audio_filepath)) else None
        for u in utterances
    ]


def copy_keys(utterances: Sequence[Utterance], cache_dir: Path, copy: Copy) -> list[str | None]:
    """Return the key of each utterance's ``copy``: the utterance's key, the copy's settings, and the utterance's id."""
    mixed_in = utterance_keys(copy.alteration.recordings, cache_dir)
    made = f"copy {copy.number} {copy.alteration.fingerprint(mixed_in)}"
    keys = utterance_keys(utterances, cache_dir)
    return [f"{key} {made} {u.id}" if key else None for u, key in zip(utterances, keys, strict=True)]


def _contents(paths: Collection[str], memory: Path) -> dict[str, str]:
    """Return the SHA-256 of each readable file, from ``memory`` where size and time of change are unchanged."""
    known = _remembered(memory)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda path: _content(path, known.get(path)), paths)
        rows = {path: row for path, row in zip(paths, found, strict=True) if row}
    settled = time.time_ns() - int(_SETTLED_S * 1e9)
    if new := {path: row for path, row in rows.items() if row[1] < settled and known.get(path) != row}:
        with suppress(OSError), write_atomically(memory) as temporary:  # only saves time; shards report a full disk
            temporary.write_text(json.dumps(_remembered(memory) | new), encoding="utf-8")
    return {path: row[2] for path, row in rows.items()}


def _remembered(memory: Path) -> dict[str, list[Any]]:
    try:
        return dict(read_json(memory))
    except (OSError, ValueError, TypeError):
        return {}


def _content(path: str, known: list[Any] | None) -> list[Any] | None:
    """Return [size, time of change in ns, SHA-256], or None if the file cannot be read."""
    try:
        status = os.stat(path)
        if known and known[:2] == [status.st_size, status.st_mtime_ns]:
            return known
        return [status.st_size, status.st_mtime_ns, sha256_of(path)]
    except (OSError, ValueError):
        return None


def read_shards(folder: Path, num_features: int, wanted: Collection[str]) -> dict[str, Features]:
    """Read features (T, F) float32 by key for the ``wanted`` keys, as read-only memory maps of the shards.

    A damaged shard is removed with a warning; its utterances are then missing from the result.

    Raises:
        CacheError: a shard cannot be read, for lack of permission say.
    """
    keys = set(wanted)
    found: dict[str, np.ndarray] = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for shard in pool.map(lambda index: _read_shard(index, num_features, keys), sorted(folder.glob("*.json"))):
            found |= shard
    return found


def _read_shard(index: Path, num_features: int, wanted: set[str]) -> dict[str, Features]:
    shard = index.with_suffix(".f32")
    try:
        text = index.read_bytes()
        spans = dict(parse_json(text))
        if wanted.isdisjoint(spans):
            return {}
        frames = np.memmap(shard, _DTYPE, "r").view(np.ndarray)
        if _digest(frames, text) != index.stem:
            raise ValueError
        rows = frames.reshape(-1, num_features)
        return {key: rows[first : first + count] for key, (first, count) in spans.items() if key in wanted}
    except FileNotFoundError:
        return {}  # another reader found it damaged
    except OSError as fault:
        raise CacheError(f"{index.parent}: features cannot be read ({fault.strerror}); remove the folder") from fault
    except (ValueError, TypeError):
        _log.warning("%s is damaged; its features are computed anew", shard)
        with suppress(OSError):
            index.unlink(missing_ok=True)
            shard.unlink(missing_ok=True)
        return {}


def _digest(frames: np.ndarray, index: bytes) -> str:
    digest = hashlib.sha256(frames.data)
    digest.update(index)
    return digest.hexdigest()


def write_shards(folder: Path, features: Iterable[tuple[str, Features]]) -> None:
    """Write pairs (key, features (T, F)) as they come, into as many shards as they need.

    Raises:
        CacheError: the disk is full, or the folder is not writable.
    """
    rest = iter(features)
    try:
        _remove_leftovers(folder)
        for first in rest:
            _write_shard(folder, itertools.chain([first], rest))
    except OSError as fault:
        raise CacheError(
            f"{folder}: features cannot be written ({fault.strerror}); make room, name another folder with "
            "data.cache_dir=FOLDER, or keep features in memory with data.cache_dir=null"
        ) from fault


def _write_shard(folder: Path, features: Iterator[tuple[str, Features]]) -> None:
    """Write one shard from ``features``, until it is full or there are no more."""
    spans: dict[str, tuple[int, int]] = {}
    frames, digest = 0, hashlib.sha256()
    unnamed = folder / f"{uuid.uuid4().hex}.f32"
    with write_atomically(unnamed) as temporary, open(temporary, "wb") as file:
        for key, matrix in features:
            rows = np.ascontiguousarray(matrix, _DTYPE)
            file.write(rows.data)
            digest.update(rows.data)
            spans[key] = (frames, len(rows))
            frames += len(rows)
            if file.tell() >= _SHARD_BYTES:
                break
    index = json.dumps(spans).encode()
    digest.update(index)
    name = digest.hexdigest()
    unnamed.replace(folder / f"{name}.f32")
    with write_atomically(folder / f"{name}.json") as temporary:
        temporary.write_bytes(index)


def _remove_leftovers(folder: Path) -> None:
    """Remove what killed writers left: files that belong to no index and that nobody has written to for a day."""
    for path in folder.glob("*"):
        with suppress(FileNotFoundError):
            counts = path.suffix == ".json" or path.with_suffix(".json").is_file()
            if not counts and time.time() - path.stat().st_mtime > _DEAD_S:
                path.unlink()
