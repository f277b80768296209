"""One recording alone, from a file, a pipe or a microphone: its segments come before its end."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from asr.errors import AsrError

if TYPE_CHECKING:
    import numpy as np

    from asr.inference import Segment, Transcriber, Transcript

    OnSegment = Callable[[Segment], object]

_BAR_FROM_S = 60.0
"""A shorter recording is done before a bar has been read."""


def transcribe_file(model: Transcriber, path: Path, on_segment: OnSegment) -> Transcript:
    """Transcribe a file, with a bar on stderr where that is a terminal and the file is long.

    Raises:
        AudioError: as `Transcriber.transcribe`.
    """
    with _bar(path) as moved_to:

        def decided(segment: Segment) -> None:
            on_segment(segment)
            moved_to(segment.end)

        return model.transcribe(path, on_segment=decided)


def transcribe_pipe(model: Transcriber, file: BinaryIO, raw_rate: int | None, on_segment: OnSegment) -> Transcript:
    """Transcribe a WAV, or 16-bit samples at ``raw_rate`` Hz, as its bytes come; anything else once all are there.

    Raises:
        AudioError: as `stream_pipe`.
    """
    from asr.audio import PcmFormat, stream_pipe

    raw = None if raw_rate is None else PcmFormat(raw_rate)
    return _listen(model, stream_pipe(file, model.sample_rate, raw=raw), on_segment)


def transcribe_microphone(model: Transcriber, on_segment: OnSegment) -> Transcript:
    """Transcribe what is said until Ctrl-C.

    Raises:
        AudioError, MissingExtraError: as `microphone`.
    """
    from asr.cli.microphone import microphone

    return _listen(model, microphone(model.sample_rate), on_segment)


def _listen(model: Transcriber, blocks: Iterable[np.ndarray], on_segment: OnSegment) -> Transcript:
    """Hand on segments as they are decided; where a terminal can show it, what is heard so far too.

    Ctrl-C, or an error in what comes, ends the recording where it is.
    """
    from asr.inference import StreamingTranscriber, Transcript

    shown = sys.stderr.isatty()
    streaming = StreamingTranscriber(model, interval_s=0.5 if shown else float("inf"))
    show = _show_partial if shown else lambda _: None
    found: list[Segment] = []

    def decided(segments: Iterable[Segment]) -> None:
        show("")
        for segment in segments:
            found.append(segment)
            on_segment(segment)

    try:
        for block in blocks:
            update = streaming.accept(block)
            decided(update.final)
            show(update.partial)
    except (KeyboardInterrupt, AsrError):
        decided(streaming.finish().final)
        raise
    decided(streaming.finish().final)
    return Transcript(" ".join(s.text for s in found), tuple(found), streaming.heard_s)


def _show_partial(text: str) -> None:
    """The end of ``text`` in place of the terminal's last line."""
    width = shutil.get_terminal_size().columns - 1
    sys.stderr.write("\r\x1b[K" + text[-width:])
    sys.stderr.flush()


@contextmanager
def _bar(path: Path) -> Iterator[Callable[[float], None]]:
    """Yield what moves a bar to so many seconds of the recording."""
    duration = _duration(path) if sys.stderr.isatty() else 0.0
    if duration < _BAR_FROM_S:
        yield lambda seconds: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("transcribing"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), redirect_stdout=sys.stdout.isatty()) as progress:
        task = progress.add_task("", total=duration)
        yield lambda seconds: progress.update(task, completed=seconds)
        progress.update(task, completed=duration)


def _duration(path: Path) -> float:
    """Seconds, 0 where the header shows that the recording cannot be used: transcribing it says why."""
    from asr.audio import audio_info

    try:
        return audio_info(path).duration
    except AsrError:
        return 0.0
