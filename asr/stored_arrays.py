"""Arrays of a .npz file, none of which is made before the file is known to hold it.

numpy makes an array of the size that its header asks for, and reads what there is into it: a file of 1 kB could ask for
32 GiB. Here a header is held against the bytes that follow it, and their sum against a limit.
"""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

MOST_BYTES = 1 << 28
"""Bytes of all arrays together; a larger file may hold as many as its own size, so that no one can be a bomb."""

_MOST_ARRAYS = 1 << 14
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Return the arrays of a .npz file by name; they hold numbers or booleans.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no .npz file, is damaged, or an array is of another kind or size than its bytes.
    """
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            _check_size(members, file.seek(0, 2))
            arrays = {member.filename.removesuffix(".npy"): _read(archive, member) for member in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OverflowError) as fault:
        raise ValueError(f"not a whole .npz file: {fault}") from fault
    if len(arrays) < len(members):
        raise ValueError("two arrays have the same name")
    return arrays


def _check_size(members: list[zipfile.ZipInfo], size: int) -> None:
    if len(members) > _MOST_ARRAYS:
        raise ValueError(f"{len(members):,} arrays; at most {_MOST_ARRAYS:,} are read")
    if (total := sum(member.file_size for member in members)) > max(size, MOST_BYTES):
        raise ValueError(f"its arrays unpack to {total:,} bytes")


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(member) as file:
        try:
            shape, _, dtype = _HEADERS[np.lib.format.read_magic(file)](file)
        except (KeyError, SyntaxError, TypeError, tokenize.TokenError, UnicodeDecodeError, MemoryError) as fault:
            raise ValueError(f"{member.filename}: not an array: {fault!r}") from fault
        count = 1
        for length in shape:
            count *= length
        if dtype.kind not in "biuf" or min(shape, default=0) < 0:
            raise ValueError(f"{member.filename}: an array of numbers is needed, got {dtype} of the shape {shape}")
        if count * dtype.itemsize != member.file_size - file.tell():
            raise ValueError(f"{member.filename}: the shape {shape} of {dtype} does not fit its bytes")
    with archive.open(member) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def take(arrays: Mapping[str, np.ndarray], name: str, dtype: str, shape: tuple[int | None, ...]) -> np.ndarray:
    """Return one of ``arrays``, whose type and shape are checked.

    Args:
        arrays: the arrays of a file.
        name: the name of the one wanted.
        dtype: the kinds of numbers that it may have, as numpy names them: ``f``, ``iu``.
        shape: its lengths; None for any from 1 on.

    Raises:
        ValueError: it is missing, of another kind or shape, or holds NaN or infinite numbers.
    """
    if name not in arrays:
        raise ValueError(f"there is no {name}")
    array = arrays[name]
    fits = len(array.shape) == len(shape) and all(
        have == want if want is not None else have > 0 for have, want in zip(array.shape, shape, strict=True)
    )
    if array.dtype.kind not in dtype or not fits:
        wanted = ", ".join("any" if want is None else str(want) for want in shape)
        raise ValueError(f"{name} must be ({wanted}) of {dtype!r}, got {array.shape} of {array.dtype}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds numbers that are not finite")
    return array
