"""Speech recognition you train yourself.

>>> import asr
>>> result = asr.load_model().transcribe("recording.wav")  # doctest: +SKIP
>>> print(result.text)  # doctest: +SKIP

Every error raised on purpose is an `asr.AsrError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


def __getattr__(name: str) -> Any:
    """Import the public names on first use, so that ``import asr`` costs nothing (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'asr' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Return the public names, those not yet imported too: for ``dir``, ``help`` and completion."""
    return [*__all__, "__doc__", "__file__", "__name__", "__path__"]
