"""Engines, which compute a recurrent layer on the hardware of this machine; all use the same weights.

``cpu``: backpropagation through time in compiled loops. ``cudnn``: cuDNN's kernels on an NVIDIA GPU. ``loop``:
TensorFlow's own operations on any other device.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from asr.models.engines import cpu, cudnn, loop

ENGINES: dict[str, Callable[..., Any]] = {"cpu": cpu.layer, "cudnn": cudnn.layer, "loop": loop.layer}
"""Functions that compute a layer's outputs (B, T, D·H) from cell, inputs (B, T, F), lengths (B,) and weights."""


def engine() -> str:
    """Return the name in ``ENGINES`` of the engine that this machine uses."""
    if not tf.config.list_physical_devices("GPU"):
        return "cpu"
    return "cudnn" if tf.sysconfig.get_build_info()["is_cuda_build"] else "loop"
