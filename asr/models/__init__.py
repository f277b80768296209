"""Recurrent cells, recurrent layers and the acoustic model, which maps features to logits. Imports TensorFlow."""

from asr.models.acoustic import AcousticModel
from asr.models.cells import CELLS, CellSpec
from asr.models.recurrent import Recurrent

__all__ = ["CELLS", "AcousticModel", "CellSpec", "Recurrent"]
