"""The text as it is, spaces made single."""

from __future__ import annotations


def normalise(text: str) -> str:
    """Return ``text`` with one space between two words."""
    return " ".join(text.split())
