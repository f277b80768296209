"""What many tests read is made by one of them, and made anew after a failure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


def test_a_folder_is_made_by_the_first_who_asks(made_once: Callable[[str, Callable[[Path], object]], Path]) -> None:
    first = made_once("notes", lambda folder: (folder.mkdir(), (folder / "a").write_text("first")))
    again = made_once("notes", lambda folder: (folder / "a").write_text("again"))
    assert first == again and (again / "a").read_text() == "first"


def test_what_a_failure_left_is_not_taken_for_it(made_once: Callable[[str, Callable[[Path], object]], Path]) -> None:
    def half(folder: Path) -> None:
        folder.mkdir()
        (folder / "half").touch()
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        made_once("halves", half)
    assert list(made_once("halves", Path.mkdir).iterdir()) == []
