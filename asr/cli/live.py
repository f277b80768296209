"""Transcription of a single recording, a file, pipe or microphone, whose segments are printed before its end."""

from __future__ import annotations

import os
import shutil
import stat
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

MAX_WAIT_S = 10.0
"""The longest that a word waits for its line where nobody pauses."""

_BAR_FROM_S = 60.0
"""Seconds from which a recording is long enough for a progress bar."""


def transcribe_file(model: Transcriber, path: Path, salvage: bool, on_segment: OnSegment) -> Transcript:
    """Transcribe a file; show a progress bar on stderr if it is a terminal and the file is long.

    Raises:
        AudioError: as `Transcriber.transcribe`.
    """
    with _bar(path) as moved_to:

        def decided(segment: Segment) -> None:
            on_segment(segment)
            moved_to(segment.end)

        return model.transcribe(path, on_segment=decided, salvage=salvage)


def transcribe_pipe(
    model: Transcriber,
    file: BinaryIO,
    raw_rate: int | None,
    salvage: bool,
    on_segment: OnSegment,
    endpoint_silence_s: float | None,
) -> Transcript:
    """Transcribe a WAV, or 16-bit samples at ``raw_rate`` Hz, as its bytes arrive; read other formats to the end.

    A pause of ``endpoint_silence_s`` makes final what was said before it; with None, as in a file on stdin, which
    nobody waits for, segments are those of the finished recording.

    Raises:
        AudioError: as `stream_pipe`.
    """
    from asr.audio import PcmFormat, stream_pipe

    endpoint = None if _is_file(file) else endpoint_silence_s
    raw = None if raw_rate is None else PcmFormat(raw_rate)
    samples = stream_pipe(file, model.sample_rate, raw=raw, salvage=salvage)
    return _transcribe_stream(model, samples, on_segment, endpoint)


def _is_file(stream: BinaryIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except OSError:
        return False


def transcribe_microphone(model: Transcriber, on_segment: OnSegment, endpoint_silence_s: float | None) -> Transcript:
    """Transcribe the microphone until Ctrl-C; ``endpoint_silence_s`` as of `transcribe_pipe`.

    Raises:
        AudioError, MissingExtraError: as `microphone`.
    """
    from asr.cli.microphone import microphone

    return _transcribe_stream(model, microphone(model.sample_rate), on_segment, endpoint_silence_s)


def _transcribe_stream(
    model: Transcriber, blocks: Iterable[np.ndarray], on_segment: OnSegment, endpoint_silence_s: float | None
) -> Transcript:
    """Transcribe a stream of blocks; pass on segments as they become final, and show partial text on a terminal.

    Ctrl-C, or an error in the stream, ends the recording there.
    """
    from asr.inference import StreamingTranscriber, Transcript

    shown = sys.stderr.isatty()
    streaming = StreamingTranscriber(
        model,
        interval_s=0.5 if shown else float("inf"),
        endpoint_silence_s=endpoint_silence_s,
        max_wait_s=None if endpoint_silence_s is None else MAX_WAIT_S,
    )
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
    return Transcript.of(found, streaming.heard_s)


def _show_partial(text: str) -> None:
    """Replace the terminal's last line by the end of ``text``."""
    width = shutil.get_terminal_size().columns - 1
    sys.stderr.write("\r\x1b[K" + text[-width:])
    sys.stderr.flush()


@contextmanager
def _bar(path: Path) -> Iterator[Callable[[float], None]]:
    """Yield a function that moves a progress bar to a position in the recording, in seconds."""
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
    """Return the duration in seconds, or 0 if the header cannot be read; transcription then reports the error."""
    from asr.audio import audio_info

    try:
        return audio_info(path).duration
    except AsrError:
        return 0.0
