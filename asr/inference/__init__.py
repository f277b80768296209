"""Recordings → transcripts, without TensorFlow."""

from asr.inference.decoders import Decoding
from asr.inference.streaming import StreamingTranscriber, Update
from asr.inference.transcriber import Transcriber, load_model
from asr.inference.transcript import Alternative, Segment, Transcript, Word

__all__ = [
    "Alternative",
    "Decoding",
    "Segment",
    "StreamingTranscriber",
    "Transcriber",
    "Transcript",
    "Update",
    "Word",
    "load_model",
]
