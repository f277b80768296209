"""Many recordings: read and computed side by side, decoded together, each with the result that it has alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from operator import attrgetter

from asr.arrays import Samples
from asr.errors import AsrError
from asr.inference.grouping import grouped
from asr.inference.pipeline import ChunkFeatures, ChunkReader, Pipeline
from asr.inference.prefetch import prefetch
from asr.inference.stitcher import SpeechRegion, Stitcher
from asr.inference.transcript import Segment, Transcript

BATCH_SIZE = 32
"""Recordings that are decoded together unless told otherwise."""

_GROUP_S = 300.0
"""Fewer are decoded together once they last so many seconds."""

_READ_AHEAD = 32
"""Recordings that are read and computed while others are decoded; each keeps its file open."""

_HEAD_S = 60.0
"""What comes later in a recording is computed when its turn comes, so that memory does not grow with its length."""

Opener = Callable[[], Iterable[Samples]]
"""Opens a recording and gives its samples block by block."""


@dataclass(frozen=True, eq=False)
class _Begun:
    """A recording whose first minute has been computed.

    Attributes:
        reader: the first steps, which know how long the recording is.
        chunks: the chunks that have not been computed yet.
        stitcher: the step that joins them to those before.
        head: the regions of the first minute.
        error: the error that ended the recording within its first minute.
    """

    reader: ChunkReader
    chunks: Iterator[ChunkFeatures]
    stitcher: Stitcher
    head: Sequence[SpeechRegion]
    error: AsrError | None

    @property
    def duration(self) -> float:
        """Seconds that have been read."""
        return self.reader.duration


def transcribe_batch(pipeline: Pipeline, openers: Iterable[Opener], batch_size: int) -> Iterator[Transcript | AsrError]:
    """Transcribe recordings, ``batch_size`` of them decoded together.

    Args:
        pipeline: the steps.
        openers: one a recording; they are called in threads.
        batch_size: changes speed and memory, and when results come, but no result.

    Yields:
        For each recording, in order, its transcript, or the error that says why there is none.
    """
    ahead = max(_READ_AHEAD, batch_size)
    begun = prefetch(partial(_begin, pipeline), openers, ahead=ahead, workers=pipeline.threads)
    for group in grouped(begun, attrgetter("duration"), max_size=_GROUP_S, max_count=batch_size):
        yield from _finish_together(pipeline, group)


def _begin(pipeline: Pipeline, opener: Opener) -> _Begun:
    """Take the first minute of a recording up to its regions."""
    reader, stitcher = pipeline.reader(), pipeline.stitcher()
    chunks = reader.over(opener())
    head: list[SpeechRegion] = []
    error = None
    try:
        for chunk in chunks:
            if (region := stitcher.accept(pipeline.log_probs(chunk))) is not None:
                head.append(region)
            if chunk.span.stop > _HEAD_S * pipeline.bundle.front_end.sample_rate:
                break
    except AsrError as fault:
        head, error = [], fault
    return _Begun(reader, chunks, stitcher, head, error)


def _finish_together(pipeline: Pipeline, group: Sequence[_Begun]) -> Iterator[Transcript | AsrError]:
    """Yield each recording's result, the first minutes of all decoded together."""
    decoded = iter(pipeline.decode([region for begun in group for region in begun.head]))
    heads = [[next(decoded) for _ in begun.head] for begun in group]
    for begun, head in zip(group, heads, strict=True):
        yield begun.error or _finish(pipeline, begun, head)


def _finish(pipeline: Pipeline, begun: _Begun, head: Sequence[Segment | None]) -> Transcript | AsrError:
    """Return the transcript, once what is left of a long recording is read."""
    rest = pipeline.segments(begun.chunks, begun.stitcher)
    try:
        found = tuple(chain(filter(None, head), rest))
    except AsrError as error:
        return error
    return Transcript.of(found, begun.duration)
