r"""A file of named arrays that is mapped into memory, not read.

::

    ASR-NGRAM\n    magic, 10 bytes
    length        of the header in bytes, uint32, little-endian
    header        JSON: {"version": 3, "size": bytes of the file, "crc32": …, "about": {…}, "arrays": {…}},
                  each array as its name, [dtype, count, offset]; padded with spaces to a multiple of 1,024 bytes
    arrays        each from a multiple of 64 bytes, little-endian

The checksum is that of all bytes of the file, with ten zeros in the place of its own ten digits. A file of version 2
has none; it is read as well. Opening a file reads it once; its pages are shared by all processes that map it, and
arrays computed from them belong to each process alone.
"""

from __future__ import annotations

import json
import mmap
import os
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from asr.errors import LanguageModelError
from asr.files import write_atomically
from asr.stored_json import parse_json

MAGIC = b"ASR-NGRAM\n"
VERSION = 3
_WITHOUT_CHECKSUM = 2
_START = len(MAGIC) + 4
_ALIGNMENT = 64
_LONGEST_HEADER = 1 << 20
_NO_CHECKSUM = "0" * 10
_CHECKSUM = re.compile(rb'"crc32": "(\d{10})"')
_DTYPE = re.compile(r"[<|][uif][1248]")
_BLOCK = 1 << 20


def write_arrays(path: str | Path, about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """Write ``arrays`` (each (n,)) and the JSON object ``about``, which describes them, atomically."""
    header = _header(about, arrays)
    with write_atomically(path) as temporary, open(temporary, "wb") as file:
        file.write(MAGIC + len(header).to_bytes(4, "little") + header)
        for array in arrays.values():
            file.write(bytes(-file.tell() % _ALIGNMENT))
            file.write(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)
        file.flush()
        seal(temporary)


def seal(path: str | Path) -> None:
    """Write the checksum of a file's bytes, as they are now, into its header."""
    with open(path, "r+b") as file:
        found = _CHECKSUM.search(file.read(_START + _LONGEST_HEADER))
        if found is None:
            raise LanguageModelError(f"{path}: its header has no place for a checksum")
        file.seek(found.start(1))
        file.write(_checksum(path, found.start(1)).encode())


def _checksum(path: str | Path, at: int) -> str:
    """Return the checksum of a file as ten digits, with zeros in the place ``at`` of its own ones."""
    with open(path, "rb") as file:
        total = zlib.crc32(file.read(at) + _NO_CHECKSUM.encode())
        file.seek(at + len(_NO_CHECKSUM))
        while block := file.read(_BLOCK):
            total = zlib.crc32(block, total)
    return f"{total:010}"


def _header(about: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return the header, padded with spaces so that the offsets in it do not depend on its own length."""
    room = _START + 1024 * (1 + (len(json.dumps(about)) + 100 * len(arrays)) // 1024)
    places, offset = {}, room
    for name, array in arrays.items():
        offset += -offset % _ALIGNMENT
        places[name] = [array.dtype.newbyteorder("<").str, len(array), offset]
        offset += array.nbytes
    content = {"version": VERSION, "size": offset, "crc32": _NO_CHECKSUM, "about": about, "arrays": places}
    return json.dumps(content).encode().ljust(room - _START)


def map_arrays(path: str | Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Map a file that ``write_arrays`` wrote; return ``about`` and the arrays, which are read-only views of the file.

    Raises:
        LanguageModelError: the file does not exist, has another format or version, is cut short, or has other bytes
            than its checksum says.
    """
    try:
        with open(path, "rb") as file:
            content = _read_header(file.read(_START + _LONGEST_HEADER), os.fstat(file.fileno()).st_size, path)
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as fault:
        raise LanguageModelError(f"{path}: cannot be read: {getattr(fault, 'strerror', None) or fault}") from fault
    try:
        arrays = {name: _view(mapped, *place) for name, place in content["arrays"].items()}
        return dict(content["about"]), arrays
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as fault:
        raise LanguageModelError(f"{path}: the header is damaged: {fault}; make the model again") from fault


def _view(mapped: mmap.mmap, kind: Any, count: Any, offset: Any) -> np.ndarray:
    if not (isinstance(kind, str) and _DTYPE.fullmatch(kind) and type(count) is type(offset) is int and count >= 0):
        raise ValueError(f"an array of {count!r} numbers of {kind!r} at {offset!r}")
    return np.frombuffer(mapped, np.dtype(kind), count, offset)


def _read_header(start: bytes, size: int, path: str | Path) -> dict[str, Any]:
    if not start.startswith(MAGIC):
        raise LanguageModelError(
            f"{path}: not a language model of this project (it starts {start[:10]!r}); "
            "asr lm convert makes one of an ARPA file"
        )
    length = int.from_bytes(start[len(MAGIC) : _START], "little")
    header = start[_START : _START + length]
    try:
        content = dict(parse_json(header))
        version, needed = content["version"], content["size"]
    except (ValueError, KeyError, TypeError) as fault:
        raise LanguageModelError(f"{path}: the header is damaged or cut short; make the model again") from fault
    if version not in (VERSION, _WITHOUT_CHECKSUM):
        raise LanguageModelError(
            f"{path}: format version {version}, and this asr reads {VERSION}; make the model again"
        )
    if size != needed:
        raise LanguageModelError(f"{path}: {size:,} bytes, and its header promises {needed!r}; copy it again")
    if version == VERSION:
        found = _CHECKSUM.search(start)
        if found is None or found[1].decode() != _checksum(path, found.start(1)):
            raise LanguageModelError(f"{path}: its bytes are not those that were written; copy it again")
    return content
