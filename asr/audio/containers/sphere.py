r"""NIST SPHERE: a header of lines of text, then samples.

::

    NIST_1A\n   1024\n                       the header's own length
    sample_count -i 16000\n channel_count -i 1\n sample_n_bytes -i 2\n sample_rate -i 16000\n … end_head\n
"""

from __future__ import annotations

import re

from asr.audio.containers.contents import Contents, count
from asr.audio.containers.window import Window

_HEADER_BYTES = 1024


def read(window: Window) -> Contents:
    """Compare the count of samples that a SPHERE file states with its bytes."""
    head = window.get(0, _HEADER_BYTES)
    fields = dict(re.findall(rb"^(\w+) -\S+ (.+?)\s*$", head, re.MULTILINE))
    if b"embedded" in fields.get(b"sample_coding", b""):
        return Contents()
    names = (b"sample_count", b"channel_count", b"sample_n_bytes", b"sample_rate")
    frames, channels, width, rate = (_whole_number(fields.get(name, b"")) for name in names)
    frame = max(channels, 1) * width
    missing = _whole_number(head[8:16]) + frames * frame - window.size
    if missing <= 0:
        return Contents()
    fault = f"{count(missing, 'byte')} fewer than its header says"
    lost = missing / (frame * rate) if frame * rate else 0.0
    return Contents(length_s=frames / rate if rate else None, lost_s=lost, faults=(fault,))


def _whole_number(text: bytes) -> int:
    return int(text) if text.strip().isdigit() else 0
