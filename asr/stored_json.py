"""JSON that was stored, or that somebody sent: bounded in size and depth, without numbers that are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

MOST_BYTES = 64 << 20


def parse_json(text: str | bytes) -> Any:
    """Return the value that a JSON text holds.

    Raises:
        ValueError: the text is not JSON, has lists within lists too deep for the reader, or a number like NaN.

    >>> parse_json("[" * 100_000)
    Traceback (most recent call last):
    ValueError: lists or objects are nested too deep
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("lists or objects are nested too deep") from None


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")


def read_json(path: str | Path) -> Any:
    """Return the value that a JSON file holds.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not JSON in UTF-8, or larger than 64 MiB.
    """
    with open(path, "rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES:,} bytes of JSON")
    return parse_json(content.decode("utf-8"))
