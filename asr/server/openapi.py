"""The description of the HTTP routes (OpenAPI 3.1)."""

from __future__ import annotations

from typing import Any


def describe() -> dict[str, Any]:
    """Return the description."""
    return {"openapi": "3.1.0", "info": {"title": "asr serve", "version": "1"}, "paths": {}}
