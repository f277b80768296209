"""Features → logits: recurrent cells and layers, and the acoustic model made of them. Imports TensorFlow."""

from asr.models.acoustic import AcousticModel
from asr.models.recurrent import CELLS, Gru, Lstm, PlainRnn

__all__ = ["CELLS", "AcousticModel", "Gru", "Lstm", "PlainRnn"]
