"""The first Ctrl-C waits for a good moment, the second does not; SIGTERM always waits."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from asr.cli.train import run_configured
from asr.training.checkpoint import load_checkpoint
from asr.training.interruption import Interruption


def test_without_a_ctrl_c_check_does_nothing() -> None:
    with Interruption() as interruption:
        interruption.check()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_waits_for_check(number: signal.Signals) -> None:
    with Interruption() as interruption:
        signal.raise_signal(number)
        assert interruption.asked
        with pytest.raises(KeyboardInterrupt):
            interruption.check()


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_a_ctrl_c_after_it_does_not_wait(first: signal.Signals) -> None:
    with Interruption():
        signal.raise_signal(first)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_scheduler_may_send_sigterm_as_often_as_it_likes() -> None:
    with Interruption() as interruption:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            interruption.check()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_afterwards_all_is_as_before_and_one_that_came_is_forgotten(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    interruption = Interruption()
    with interruption:
        signal.raise_signal(number)
    assert signal.getsignal(number) is before
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_ends_its_step_and_saves_it(
    number: signal.Signals, tones: SimpleNamespace, corpus: Path, tmp_path: Path
) -> None:
    """Ten minutes before the next checkpoint would have been due."""

    class Sender:
        def on_step(self, report) -> None:
            if report.total_steps == 2:
                signal.raise_signal(number)

        def on_epoch(self, report) -> None:
            raise AssertionError("it should have stopped in the first epoch")

    with pytest.raises(KeyboardInterrupt):
        run_configured(tmp_path, tones.tree(corpus, tmp_path), [Sender()])
    checkpoint = load_checkpoint(tmp_path / "checkpoints")
    assert checkpoint and checkpoint.state["total_steps"] == 2
