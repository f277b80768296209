"""Corpora as published, turned into manifests.

One importer a file below ``importers/``; `asr.corpora.prepare.prepare` measures the recordings, counts what cannot be
used, and writes one manifest a split. `asr.corpora.fetch.fetch` brings a corpus from its home. The importers import
little, so that ``asr prepare --help`` can name the corpora at once.
"""

from __future__ import annotations

import importlib
import pkgutil

from asr.corpora import importers
from asr.corpora.importer import Importer


def _importers() -> dict[str, Importer]:
    names = sorted(module.name for module in pkgutil.iter_modules(importers.__path__))
    return {name: importlib.import_module(f"{importers.__name__}.{name}").IMPORTER for name in names}


CORPORA = _importers()
"""The importer of each corpus, by name."""

__all__ = ["CORPORA", "Importer"]
