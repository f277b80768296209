"""Progress of training on the console: a live line for each step, a line and three transcripts for each epoch."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from asr.training.reports import EpochReport, StepReport

_COLUMNS = (
    TextColumn("epoch {task.fields[epoch]}"),
    BarColumn(24),
    TextColumn("{task.completed}/{task.total}  {task.fields[figures]}"),
)


class Display:
    """An observer that prints; it shows the live line only on a terminal, so that a log file holds whole lines."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True, emoji=False)
        self.progress = Progress(*_COLUMNS, console=self.console, disable=not self.console.is_terminal, transient=True)
        self.task = self.progress.add_task("steps", epoch="", figures="preparing", total=None)

    def __enter__(self) -> Display:
        """Start the live line."""
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the live line."""
        self.progress.stop()

    def on_step(self, report: StepReport) -> None:
        """Show epoch, step, loss, gradient norm, seconds of audio per second, and time left."""
        figures = (
            f"loss {report.loss:.2f}  |g| {report.gradient_norm:.2f}  {report.audio_s_per_s:.0f} audio-s/s  "
            f"{_clock(report.seconds_left)} left"
        )
        epoch = f"{report.epoch}/{report.epochs}"
        self.progress.update(self.task, completed=report.step, total=report.steps, epoch=epoch, figures=figures)

    def on_epoch(self, report: EpochReport) -> None:
        """Print the epoch's loss, dev WER and CER, speed, share of time waiting for data, and three transcripts."""
        line = f"epoch {report.epoch}/{report.epochs}  loss {report.loss:.3f}"
        if report.dev:
            line += f"  dev WER {100 * report.dev.wer:.2f} %  CER {100 * report.dev.cer:.2f} %"
        line += f"  {report.audio_s_per_s:.0f} audio-s/s  {100 * report.waiting:.0f} % waiting for data"
        if report.traces > 1:
            line += f"  {report.traces} graphs"
        self.console.print(f"{line}  {_clock(report.seconds)}")
        for reference, hypothesis in report.dev.pairs if report.dev else ():
            self.console.print(f"  ref {reference}\n  hyp {hypothesis}", markup=False)


def _clock(seconds: float) -> str:
    """Format seconds as hours and minutes, or minutes and seconds.

    >>> _clock(65), _clock(7300)
    ('1:05 min', '2:01 h')
    """
    if seconds >= 3600:
        return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02} h"
    return f"{int(seconds // 60)}:{int(seconds % 60):02} min"
