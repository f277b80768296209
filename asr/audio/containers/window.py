"""A file's bytes by offset, read forwards a stretch at a time."""

from __future__ import annotations

from typing import BinaryIO

STRETCH = 1 << 17
"""Bytes that are read at once."""

_BEHIND = 1 << 13
"""Bytes before the ones asked for that are kept, for whoever looks some way ahead and comes back."""


class Window:
    """Slices of a file; a stretch of it is in memory.

    It is fast where offsets mostly grow, and right wherever they point.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        """Look at ``file``, which can seek and has ``size`` bytes."""
        self.size = size
        self._file = file
        self._start = 0
        self._bytes = b""

    def get(self, start: int, stop: int) -> bytes:
        """Return the bytes from ``start`` to ``stop``, fewer at the end of the file."""
        data, base = self.around(start, stop - start)
        return data[start - base : stop - base]

    def around(self, start: int, count: int = 1) -> tuple[bytes, int]:
        """Return a stretch with at least ``count`` bytes from ``start``, fewer at the end, and its own offset."""
        stop = min(start + count, self.size)
        if not self._start <= start or stop > self._start + len(self._bytes):
            self._bytes, self._start = b"", max(start - _BEHIND, 0)
            self._file.seek(self._start)
            self._bytes = self._read(start - self._start + max(count, STRETCH))
        return self._bytes, self._start

    def find(self, what: bytes, start: int, stop: int | None = None) -> int:
        """Return the offset of the first ``what`` that begins in ``start`` … ``stop``, -1 if there is none."""
        stop = self.size if stop is None else min(stop, self.size)
        while start < stop:
            data, base = self.around(start, len(what))
            at = data.find(what, start - base, stop - base + len(what) - 1)
            if at >= 0:
                return base + at
            start = max(base + len(data) - len(what) + 1, start + 1)
        return -1

    def _read(self, count: int) -> bytes:
        """Read ``count`` bytes, fewer only at the end of the file."""
        data = self._file.read(count)
        while len(data) < count and (more := self._file.read(count - len(data))):
            data += more
        return data
