"""Recordings → transcripts, without TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asr.lazy import lazy_names

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
    "Alternative": "asr.inference.transcript",
    "Decoding": "asr.inference.decoding_options",
    "Segment": "asr.inference.transcript",
    "StreamingTranscriber": "asr.inference.streaming",
    "Transcriber": "asr.inference.transcriber",
    "Transcript": "asr.inference.transcript",
    "Update": "asr.inference.streaming",
    "Word": "asr.inference.transcript",
    "load_model": "asr.inference.transcriber",
    "texts": "asr.inference.transcript",
}

__all__ = list(_HOMES)

__getattr__, __dir__ = lazy_names(__name__, _HOMES)  # so that `writers` can be had without the network
