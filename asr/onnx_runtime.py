"""ONNX Runtime, imported in one place: quiet, and without its telemetry.

Its builds (1.32 for one) keep an identifier of the device and a store of events in ``~/.cache/Microsoft``, and send
events where they can, unless ``ORT_DISABLE_TELEMETRY`` is set before it is imported. Nothing leaves this machine, so it
is set here, for this process and those that it starts.
"""

from __future__ import annotations

import os
from typing import Any


def import_onnxruntime() -> Any:
    """Return ``onnxruntime``, told to send nothing, and to say nothing but errors."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)
    return onnxruntime
