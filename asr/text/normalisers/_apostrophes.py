"""Signs that people type for an apostrophe."""

from __future__ import annotations

APOSTROPHES = "'’‘‛ʼʻ`´′＇"
"""Typewriter and typographic apostrophe, quotation marks, modifier letters, accents and prime that stand for one."""

TO_APOSTROPHE = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))
"""For ``str.translate``: each of them becomes the typewriter's apostrophe."""
