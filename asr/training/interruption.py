"""Ctrl-C and SIGTERM, held back while a step or a file is half done."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any


class Interruption:
    """Notes the first Ctrl-C for ``check`` to raise at a good moment; the second is raised at once.

    SIGTERM, which schedulers and ``docker stop`` send before they kill, counts as a first Ctrl-C however often it
    comes. Without this class the interrupt would be raised inside a step, where TensorFlow makes another error of it,
    or between the step and the count of steps, and SIGTERM would end the process without a checkpoint. Off the main
    thread Python hears no signals, and nothing is held.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interruption:
        """Hold them from here on."""
        self.asked = False
        if threading.current_thread() is threading.main_thread():
            self._before = {s: signal.signal(s, self._note) for s in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        """Let them through again."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def check(self) -> None:
        """Raise what was held.

        Raises:
            KeyboardInterrupt: there was one.
        """
        if self.asked:
            raise KeyboardInterrupt

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = True
