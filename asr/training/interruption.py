"""Ctrl-C and SIGTERM, held back while a step or a file is half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

_Handler = Callable[[int, FrameType | None], object] | int | None
"""What `signal.signal` takes and returns."""


class Interruption:
    """A handler that holds back the first Ctrl-C until ``check`` raises it; a second Ctrl-C is raised at once.

    SIGTERM, which schedulers and ``docker stop`` send before they kill, counts as a first Ctrl-C however often it
    comes. Without this class the interrupt would be raised inside a step, where TensorFlow turns it into another error,
    or between the step and the count of steps, and SIGTERM would end the process without a checkpoint. Outside
    the main thread Python receives no signals, and nothing is held back.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[signal.Signals, _Handler] = {}

    def __enter__(self) -> Interruption:
        """Begin to hold both signals back."""
        self.asked = False
        if threading.current_thread() is threading.main_thread():
            self._before = {s: signal.signal(s, self._note) for s in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        """Restore the handlers of both signals."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def check(self) -> None:
        """Raise the interrupt that was held back, if there is one.

        Raises:
            KeyboardInterrupt: a signal came.
        """
        if self.asked:
            raise KeyboardInterrupt

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = True
