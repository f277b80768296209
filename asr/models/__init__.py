"""Features → logits: recurrent cells and layers, and the acoustic model made of them. Imports TensorFlow."""

from asr.models.acoustic import AcousticModel
from asr.models.cells import CELLS, CellSpec
from asr.models.recurrent import Recurrent

__all__ = ["CELLS", "AcousticModel", "CellSpec", "Recurrent"]
