"""A file made of ranges of another one, and of bytes put between them, without copying."""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import BinaryIO

from asr.audio.containers.contents import Piece


class Spliced(io.RawIOBase):
    """A file that can seek, whose bytes are ``pieces`` of another; nothing else may read that one meanwhile."""

    def __init__(self, file: BinaryIO, pieces: Sequence[Piece]) -> None:
        """Join ranges (start, stop) of ``file`` and bytes."""
        self._file = file
        self._pieces = pieces
        sizes = (len(piece) if isinstance(piece, bytes) else piece[1] - piece[0] for piece in pieces)
        self._starts = [0, *accumulate(sizes)]
        self._at = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position, and return it."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._starts[-1]}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def readinto(self, buffer: object) -> int:
        """Fill ``buffer`` as far as there are bytes; return how many were read."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        done = 0
        while done < len(view) and self._at < self._starts[-1]:
            data = self._some(len(view) - done)
            if not data:
                break
            view[done : done + len(data)] = data
            done += len(data)
            self._at += len(data)
        return done

    def _some(self, count: int) -> bytes:
        """Return up to ``count`` bytes from here to the end of the piece."""
        which = bisect_right(self._starts, self._at) - 1
        piece, skip = self._pieces[which], self._at - self._starts[which]
        if isinstance(piece, bytes):
            return piece[skip : skip + count]
        self._file.seek(piece[0] + skip)
        return self._file.read(min(count, piece[1] - piece[0] - skip))
