"""Recordings → transcripts, without TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asr.inference.decoding_options import Decoding as Decoding
    from asr.inference.streaming import StreamingTranscriber as StreamingTranscriber
    from asr.inference.streaming import Update as Update
    from asr.inference.transcriber import Transcriber as Transcriber
    from asr.inference.transcriber import load_model as load_model
    from asr.inference.transcript import Alternative as Alternative
    from asr.inference.transcript import Segment as Segment
    from asr.inference.transcript import Transcript as Transcript
    from asr.inference.transcript import Word as Word
    from asr.inference.transcript import texts as texts

_HOMES = {
    "Alternative": "transcript",
    "Decoding": "decoding_options",
    "Segment": "transcript",
    "StreamingTranscriber": "streaming",
    "Transcriber": "transcriber",
    "Transcript": "transcript",
    "Update": "streaming",
    "Word": "transcript",
    "load_model": "transcriber",
    "texts": "transcript",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Import the names of this room on first use (PEP 562), so that `writers` can be had without the network."""
    if name not in _HOMES:
        raise AttributeError(f"module 'asr.inference' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"asr.inference.{_HOMES[name]}"), name)
