"""What a person sees: in a log file whole lines only, on a terminal a live line as well."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from asr.training.display import Display
from asr.training.evaluate import DevScore
from asr.training.reports import EpochReport, StepReport

STEP = StepReport(2, 9, 5, 55, 60, 12.345, 3.21, 0.001, 117.4, 3725)
DEV = DevScore(0.1234, 0.05, (("GO [bold] :on:", "GO"),))
EPOCH = EpochReport(2, 9, 110, 7.1234, 65.0, 117.4, 0.034, 1, DEV)


def shown(*reports: StepReport | EpochReport, terminal: bool = False) -> str:
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, highlight=False, soft_wrap=True, emoji=False, width=120)
    with Display(console) as display:
        for report in reports:
            display.on_step(report) if isinstance(report, StepReport) else display.on_epoch(report)
        display.progress.refresh()
    return file.getvalue()


def test_an_epoch_is_a_line_and_its_transcripts_as_they_are() -> None:
    assert shown(EPOCH) == (
        "epoch 2/9  loss 7.123  dev WER 12.34 %  CER 5.00 %  117 audio-s/s  3 % waiting for data  1:05 min\n"
        "  ref GO [bold] :on:\n  hyp GO\n"
    )


def test_without_a_dev_set_there_is_no_wer() -> None:
    line = "epoch 1/1  loss 7.000  10 audio-s/s  0 % waiting for data  0:05 min\n"
    assert shown(EpochReport(1, 1, 1, 7.0, 5.0, 10.0, 0.0, 1, None)) == line


def test_more_graphs_than_one_are_told() -> None:
    assert "waiting for data  3 graphs  1:05 min" in shown(replace(EPOCH, traces=3))


def test_a_log_file_has_no_line_for_a_step() -> None:
    assert shown(STEP) == ""


@pytest.mark.parametrize("part", ["epoch 2/9", "5/55", "loss 12.35", "|g| 3.21", "117 audio-s/s", "1:02 h left"])
def test_a_terminal_shows_the_step(part: str) -> None:
    assert part in shown(STEP, terminal=True)
