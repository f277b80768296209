"""Recordings → transcripts, without TensorFlow."""

from asr.inference.transcriber import Transcriber, load_model
from asr.inference.transcript import Alternative, Segment, Transcript, Word

__all__ = ["Alternative", "Segment", "Transcriber", "Transcript", "Word", "load_model"]
