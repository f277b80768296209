"""The first Ctrl-C waits for a good moment, the second does not."""

from __future__ import annotations

import signal
import threading

import pytest

from asr.training.interruption import Interruption


def test_without_a_ctrl_c_check_does_nothing() -> None:
    with Interruption() as interruption:
        interruption.check()


def test_the_first_waits_for_check() -> None:
    with Interruption() as interruption:
        signal.raise_signal(signal.SIGINT)
        assert interruption.asked
        with pytest.raises(KeyboardInterrupt):
            interruption.check()


def test_the_second_does_not_wait() -> None:
    with Interruption():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_afterwards_ctrl_c_is_as_before_and_one_that_came_is_forgotten() -> None:
    before = signal.getsignal(signal.SIGINT)
    interruption = Interruption()
    with interruption:
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
    with interruption:
        interruption.check()


def test_off_the_main_thread_nothing_is_held() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def work() -> None:
        with Interruption() as interruption:
            interruption.check()
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]
