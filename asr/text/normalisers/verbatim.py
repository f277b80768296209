"""The unchanged text, with one space between words."""

from __future__ import annotations


def normalise(text: str) -> str:
    """Return ``text`` with one space between words."""
    return " ".join(text.split())
