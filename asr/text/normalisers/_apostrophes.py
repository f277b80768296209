"""Characters that people type for an apostrophe."""

from __future__ import annotations

APOSTROPHES = "'’‘‛ʼʻ`´′＇"
"""The straight and the typographic apostrophe, and quotation marks, letters, accents and a prime used as one."""

TO_APOSTROPHE = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))
"""A table for ``str.translate`` that turns each of them into the straight apostrophe."""
