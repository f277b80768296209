r"""A file of named arrays that is mapped into memory, not read.

::

    ASR-NGRAM\n    magic, 10 bytes
    length        of the header in bytes, uint32, little-endian
    header        JSON: {"version": 2, "size": bytes of the file, "about": {…}, "arrays": {…}},
                  each array as its name, [dtype, count, offset]
    arrays        each from a multiple of 64 bytes, little-endian

Opening it reads the header only. Pages are loaded when they are first used, and processes that map the same file share
them; arrays computed from them belong to each process alone.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from asr.errors import LanguageModelError
from asr.files import write_atomically

MAGIC = b"ASR-NGRAM\n"
VERSION = 2
_START = len(MAGIC) + 4
_ALIGNMENT = 64
_LONGEST_HEADER = 1 << 20


def write_arrays(path: str | Path, about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write ``arrays`` (each (n,)) and the JSON object ``about``, which describes them, atomically."""
    header = _header(about, arrays)
    with write_atomically(path) as temporary, open(temporary, "wb") as file:
        file.write(MAGIC + len(header).to_bytes(4, "little") + header)
        for array in arrays.values():
            file.write(bytes(-file.tell() % _ALIGNMENT))
            file.write(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)


def _header(about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return the header, padded with spaces so that the offsets in it do not depend on its own length."""
    room = _START + 1024 * (1 + (len(json.dumps(about)) + 100 * len(arrays)) // 1024)
    places, offset = {}, room
    for name, array in arrays.items():
        offset += -offset % _ALIGNMENT
        places[name] = [array.dtype.newbyteorder("<").str, len(array), offset]
        offset += array.nbytes
    content = {"version": VERSION, "size": offset, "about": about, "arrays": places}
    return json.dumps(content).encode().ljust(room - _START)


def map_arrays(path: str | Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Map a file that ``write_arrays`` wrote; return ``about`` and the arrays, which are read-only views of the file.

    Raises:
        LanguageModelError: the file does not exist, has another format or version, or is cut short.
    """
    try:
        with open(path, "rb") as file:
            content = _read_header(file.read(_START + _LONGEST_HEADER), os.fstat(file.fileno()).st_size, path)
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as fault:
        raise LanguageModelError(f"{path}: cannot be read: {fault.strerror or fault}") from fault
    try:
        arrays = {
            name: np.frombuffer(mapped, np.dtype(kind), count, offset)
            for name, (kind, count, offset) in content["arrays"].items()
        }
        return content["about"], arrays
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise LanguageModelError(f"{path}: the header is damaged: {fault}; make the model again") from fault


def _read_header(start: bytes, size: int, path: str | Path) -> dict[str, Any]:
    if not start.startswith(MAGIC):
        raise LanguageModelError(
            f"{path}: not a language model of this project (it starts {start[:10]!r}); "
            "asr lm convert makes one of an ARPA file"
        )
    length = int.from_bytes(start[len(MAGIC) : _START], "little")
    try:
        content: dict[str, Any] = json.loads(start[_START : _START + length])
        version, needed = content["version"], content["size"]
    except (ValueError, KeyError, TypeError) as fault:
        raise LanguageModelError(f"{path}: the header is damaged or cut short; make the model again") from fault
    if version != VERSION:
        raise LanguageModelError(
            f"{path}: format version {version}, and this asr reads {VERSION}; make the model again"
        )
    if size != needed:
        raise LanguageModelError(f"{path}: {size:,} bytes, and its header promises {needed:,}; copy it again")
    return content
