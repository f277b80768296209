"""Recurrent cells, one file each. To add a cell, add a file here and name it below."""

from __future__ import annotations

from asr.models.cells import gru, lstm, rnn
from asr.models.cells.spec import CellSpec

CELLS: dict[str, CellSpec] = {spec.name: spec for spec in (rnn.CELL, lstm.CELL, gru.CELL)}
"""The cells by name, in the order in which they are listed to users."""

__all__ = ["CELLS", "CellSpec"]
