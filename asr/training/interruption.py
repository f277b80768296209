"""Ctrl-C, held back while a step or a file is half done."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any


class Interruption:
    """Notes the first Ctrl-C for ``check`` to raise at a good moment; the second is raised at once.

    Without it the interrupt would be raised inside a step, where TensorFlow makes another error of it, or between the
    step and the count of steps. Off the main thread Python hears no signals, and nothing is held.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: Any = None

    def __enter__(self) -> Interruption:
        """Hold Ctrl-C from here on."""
        self.asked = False
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        """Let it through again."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def check(self) -> None:
        """Raise what was held.

        Raises:
            KeyboardInterrupt: there was a Ctrl-C.
        """
        if self.asked:
            raise KeyboardInterrupt

    def _note(self, _signal: int, _frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
