"""Ways to damage JSON, bytes and arrays, drawn by a generator of random numbers."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import numpy as np

ODD: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1,
    2.5,
    1e308,
    10**30,
    float("nan"),
    float("inf"),
    "",
    "x" * 5000,
    "\ud800",
    "\x1b[2J",
    "../../etc/passwd",
    "${oc.env:HOME}",
    "\0",
    [],
    {},
    [1, [2]],
    {"a": {"b": []}},
    ["a"] * 1000,
)
"""Values that no field expects, or few."""

RAW = (
    b"",
    b"{",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"\xff\xfe\x00",
    b"null",
    b"[]",
    b"{}",
    b'"text"',
    b"1e999",
    b"9" * 5000,
    b'{"a": 1, "a": 2}',
    b"\xef\xbb\xbf{}",
)
"""Contents that no JSON file has."""


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each value in a tree of mappings and lists."""
    yield path
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in children:
        yield from places(value, (*path, key))


def damage_tree(tree: Any, draw: random.Random) -> Any:
    """Return a copy in which one value is odd, lacking, doubled or another one's."""
    tree = copy.deepcopy(tree)
    path = draw.choice(list(places(tree)))
    if not path:
        return draw.choice(ODD)
    parent = tree
    for key in path[:-1]:
        parent = parent[key]
    way = draw.randrange(4)
    if way == 0 and isinstance(parent, dict):
        del parent[path[-1]]
    elif way == 1 and isinstance(parent, dict):
        parent[draw.choice(("more", "", "__class__"))] = draw.choice(ODD)
    elif way == 2 and isinstance(parent, list):
        parent.insert(0, copy.deepcopy(parent[path[-1]]))
    else:
        parent[path[-1]] = draw.choice(ODD)
    return tree


def damage_json(content: bytes, draw: random.Random) -> bytes:
    """Return the bytes of a JSON file with one value, or all of it, changed."""
    if draw.random() < 0.2:
        return draw.choice(RAW)
    return json.dumps(damage_tree(json.loads(content), draw)).encode()


def damage_bytes(content: bytes, draw: random.Random) -> bytes:
    """Return bytes that are cut, flipped, zeroed, doubled, or have others among them."""
    way, at = draw.randrange(6), draw.randrange(len(content)) if content else 0
    if way == 0:
        return content[:at]
    if way == 1:
        flipped = bytearray(content)
        for _ in range(draw.choice((1, 1, 3, 20))):
            flipped[draw.randrange(len(flipped))] ^= 1 << draw.randrange(8)
        return bytes(flipped)
    if way == 2:
        return content[:at] + bytes(min(4096, len(content) - at)) + content[at + 4096 :]
    if way == 3:
        return content[:at] + content[at : at + 300] + content[at:]
    if way == 4:
        return content[:at] + draw.choice((b"\xff" * 8, b"\x80" * 12, b"\x00" * 8, draw.randbytes(20))) + content[at:]
    return content[:at] + content[at + draw.randrange(1, 100) :]


def damage_array(array: np.ndarray, draw: random.Random) -> np.ndarray:
    """Return an array of another type, shape, or with other numbers."""
    flat = array.reshape(-1).copy()
    way = draw.randrange(9)
    if way == 0:
        return array.astype(draw.choice(("f8", "f2", "i8", "u1", "?", "U5", "c16")))
    if way == 1:
        return np.zeros(draw.choice(((), (0,), (1,), (3, 0), (2, 2), (1, 1, 1))), array.dtype)
    if way == 2:
        return np.concatenate([flat, flat])
    if way == 3:
        return flat[: len(flat) // 2]
    if way == 4 and array.dtype.kind == "f":
        flat[draw.randrange(len(flat))] = draw.choice((np.nan, np.inf, -np.inf, 1e38, -1e38))
    elif way == 5:
        flat[:] = draw.choice((0, 1, 100))
    elif way == 6:
        return array[..., np.newaxis]
    elif len(flat):
        flat[draw.randrange(len(flat))] = draw.choice((0, 1, 7, 127))
        if array.dtype.kind in "iu":
            flat[draw.randrange(len(flat))] = np.iinfo(array.dtype).max
    return flat.reshape(array.shape)
