"""JSON that was stored, or that somebody sent: bounded in size and depth, without numbers that are none."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NoReturn

MOST_BYTES = 64 << 20
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


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


def check_texts(value: Any) -> None:
    r"""Refuse texts that would do something to the terminal that shows them.

    Raises:
        ValueError: a key or a text has a control character other than a tab or the end of a line.

    >>> check_texts({"title": ["two\nlines", "\x1b[2J"]})
    Traceback (most recent call last):
    ValueError: the text '\x1b[2J' has a control character
    """
    if isinstance(value, str) and _CONTROL.search(value):
        raise ValueError(f"the text {value[:40]!r} has a control character")
    for part in (*value, *value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ():
        check_texts(part)


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
