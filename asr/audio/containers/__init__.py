"""Reading of what a recording's container states, from its bytes and without decoding, one container a file."""

from __future__ import annotations

import os
from typing import BinaryIO

from asr.audio.containers import au, flac, mpeg, ogg, riff, sphere
from asr.audio.containers.contents import Contents, Part
from asr.audio.containers.tags import after_id3
from asr.audio.containers.window import Window

__all__ = ["Contents", "Part", "read_contents"]

_MAGIC_BYTES = 16


def read_contents(file: BinaryIO, thorough: bool = False) -> Contents:
    """Read what the container of ``file`` says; one that is not known says nothing, and is left to the decoder.

    The cost is linear in the bytes, far below that of decoding.

    Args:
        file: a file that can seek; its position afterwards is undefined.
        thorough: find what damage leaves good also where a decoder would find the damage by itself (FLAC).
    """
    size = file.seek(0, os.SEEK_END)
    window = Window(file, size)
    magic = window.get(0, _MAGIC_BYTES)
    if magic[:4] == b"OggS":
        return ogg.read(window)
    if magic[:4] in riff.FORMS:
        return riff.read(window)
    if magic[:7] == b"NIST_1A":
        return sphere.read(window)
    if magic[:4] == b".snd":
        return au.read(window)
    start = after_id3(window, 0)
    if window.get(start, start + 4) == b"fLaC":
        return flac.read(window, start, thorough)
    return mpeg.read(window, start) if mpeg.is_sync(window.get(start, start + 4)) else Contents()
