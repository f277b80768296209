"""Speech recognition you train yourself.

>>> import asr
>>> result = asr.load_model().transcribe("recording.wav")  # doctest: +SKIP
>>> print(result.text)  # doctest: +SKIP

Every error raised on purpose is an `asr.AsrError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from asr.lazy import lazy_names

if TYPE_CHECKING:
    from asr.audio import load_audio as load_audio
    from asr.errors import AsrError as AsrError
    from asr.inference import Decoding as Decoding
    from asr.inference import StreamingTranscriber as StreamingTranscriber
    from asr.inference import load_model as load_model

__version__ = "0.1.0"
__all__ = ["AsrError", "Decoding", "StreamingTranscriber", "__version__", "load_audio", "load_model"]

_HOMES = {
    "AsrError": "asr.errors",
    "Decoding": "asr.inference",
    "StreamingTranscriber": "asr.inference",
    "load_audio": "asr.audio",
    "load_model": "asr.inference",
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
