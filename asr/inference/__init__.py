"""Recordings → transcripts, without TensorFlow."""

from asr.inference.transcriber import Transcriber, load_model
from asr.inference.transcript import Segment, Transcript

__all__ = ["Segment", "Transcriber", "Transcript", "load_model"]
