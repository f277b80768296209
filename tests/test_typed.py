"""Dataclasses from mappings: what fits, and what is said of what does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asr.errors import ConfigError
from asr.typed import from_tree, to_tree


@dataclass(frozen=True)
class Inner:
    size: tuple[int, int]
    share: float = 0.5


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Sequence[Inner] = ()
    files: Sequence[Path] = ()
    limit: int | None = None
    flag: bool = False
    kind: Literal["a", "b"] = "a"
    weights: Mapping[str, float] | None = None
    with_: str = ""


def test_what_fits_is_built_with_defaults_for_the_rest() -> None:
    tree = {"name": "n", "inner": [{"size": [1, 2]}], "files": ["a/b"], "limit": None, "weights": {"x": 1}, "with": "w"}
    built = from_tree(Outer, tree)
    assert built == Outer("n", (Inner((1, 2)),), (Path("a/b"),), weights={"x": 1}, with_="w")
    assert to_tree(built) == tree | {"flag": False, "kind": "a", "inner": [{"size": [1, 2], "share": 0.5}]}


@given(
    st.builds(
        Outer,
        name=st.text(),
        inner=st.lists(st.builds(Inner, size=st.tuples(st.integers(), st.integers()))).map(tuple),
        limit=st.none() | st.integers(),
        flag=st.booleans(),
        weights=st.none() | st.dictionaries(st.text(), st.floats(allow_nan=False)),
    )
)
def test_there_and_back_is_the_same(built: Outer) -> None:
    assert from_tree(Outer, to_tree(built)) == built


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"nam": "x"}, "no setting 'nam'; did you mean name?"),
        ({"name": 3}, "name must be text, got 3"),
        ({"limit": "ten"}, "limit must be a whole number or null, got 'ten'"),
        ({"limit": True}, "limit must be a whole number or null, got True"),
        ({"limit": 1.0}, "limit must be a whole number or null, got 1.0"),
        ({"flag": 1}, "flag must be true or false, got 1"),
        ({"flag": None}, "flag must be true or false, got None"),
        ({"kind": "c"}, "kind must be a or b, got 'c'"),
        ({"files": "a"}, "files must be a list of names of files, got 'a'; write files=[a]"),
        ({"files": [""]}, "files[0] must be the name of a file or folder, got ''"),
        ({"weights": [1]}, "weights must be a mapping or null, got [1]"),
        ({"weights": {"x": "y"}}, "weights.x must be a number, got 'y'"),
        ({"inner": [{"size": [1, 2]}, {"size": [1]}]}, "inner[1].size must be a list of 2 whole numbers, got [1]"),
        ({"inner": [{"share": 1}]}, "inner[0].size must be given: a list of 2 whole numbers"),
        ({"inner": [3]}, "inner[0] must be a mapping with the keys size, share, got 3"),
    ],
)
def test_what_does_not_fit_is_named_by_its_key(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        from_tree(Outer, {"name": "n"} | changed)
    assert str(refused.value) == message
