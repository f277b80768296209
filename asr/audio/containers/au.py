"""AU: ``.snd``, then the offset of the samples, their size in bytes, encoding, rate, channels; u32, big-endian."""

from __future__ import annotations

import struct

from asr.audio.containers.contents import Contents, count
from asr.audio.containers.window import Window

_UNKNOWN = 0xFFFFFFFF
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}
"""Encoding → bytes a sample: µ-law, linear of 8 to 32 bits, float, double, A-law."""


def read(window: Window) -> Contents:
    """Compare the size that an AU file states with its bytes."""
    head = window.get(0, 24)
    if len(head) < 24:
        return Contents()
    _, offset, size, encoding, rate, channels = struct.unpack(">4s5I", head)
    missing = offset + size - window.size
    if size == _UNKNOWN or missing <= 0:
        return Contents()
    second = rate * channels * _WIDTHS.get(encoding, 0)
    fault = f"{count(missing, 'byte')} fewer than its header says"
    return Contents(length_s=size / second if second else None, lost_s=missing / max(second, 1), faults=(fault,))
