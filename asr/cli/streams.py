"""Standard streams that a command can rely on: none is missing, and none ends the command when its reader goes.

A file that a command is asked for is then written whatever becomes of the terminal.
"""

from __future__ import annotations

import codecs
import io
import os
import select
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_NAME = "standard output"
_PLAIN = {"…": "...", "→": "->", "–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"', "×": "x"}
"""What is printed where an encoding lacks a sign of our messages."""


class _LastingStream(io.RawIOBase):
    """A stream whose first fault is kept, and that drops everything after it.

    Attributes:
        fault: why no more can be written, such as `BrokenPipeError`; None while all is well.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.fault: OSError | None = None

    def fileno(self) -> int:
        """Return the descriptor, which stays open when this object is closed."""
        return self._descriptor

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: ReadableBuffer) -> int:
        """Write some of ``data``; return how many bytes are done with."""
        while self.fault is None:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:  # somebody has set the pipe so, and its reader is slow
                select.select([], [self._descriptor], [])
            except OSError as fault:
                self.fault = fault
        return memoryview(data).nbytes


def settle_streams() -> None:
    """Replace the three standard streams of this process by ones that are there and last.

    A name that is not UTF-8 is printed with its own bytes, and a character that the stream's encoding lacks as an
    escape.
    """
    for descriptor in range(3):
        _occupy(descriptor)
    codecs.register_error("asr", _printable)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout, sys.stderr = _lasting(sys.stdout, 1), _lasting(sys.stderr, 2)


def _occupy(descriptor: int) -> None:
    """Open a closed standard stream, so that no file that is opened later is taken for it."""
    try:
        os.fstat(descriptor)
    except OSError:
        # For reading alone, as GNU's tools do: what is printed then fails, and is not lost in silence.
        os.set_inheritable(os.open(os.devnull, os.O_RDONLY), True)


def _lasting(stream: TextIO | None, descriptor: int) -> TextIO:
    raw = _LastingStream(descriptor)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=stream.encoding if stream is not None else "utf-8",
        errors="asr",
        line_buffering=descriptor == 2 or raw.isatty(),
        write_through=getattr(stream, "write_through", False),
    )


def _printable(fault: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(fault, UnicodeEncodeError):
        raise fault
    character, after = fault.object[fault.start], fault.start + 1
    if "\udc80" <= character <= "\udcff":
        return bytes([ord(character) - 0xDC00]), after
    return _PLAIN.get(character) or character.encode("ascii", "backslashreplace").decode("ascii"), after


def lost_output() -> OSError | None:
    """Return why not all that was printed has arrived; None if it has."""
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    fault = raw.fault if isinstance(raw, _LastingStream) else None
    if fault is None or isinstance(fault, BrokenPipeError):
        return fault
    return OSError(fault.errno, fault.strerror, _NAME)


def print_now(text: str) -> None:
    """Print ``text`` as it is and at once.

    Raises:
        OSError: it cannot be printed, so that who works for the reader alone can stop; `BrokenPipeError` if it has
            gone.
    """
    print(text, end="", flush=True)
    if fault := lost_output():
        raise fault
