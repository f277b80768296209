"""The way of a recording through a bundle.

::

    samples ─ chunker ─▶ chunks ─ running_cmvn ─▶ features ─ acoustic_session ─▶ log-probabilities
            ─ stitcher ─▶ speech regions ─ decoder ─▶ hypotheses ─ segments ─▶ segments

The steps depend on their recording alone. Whoever transcribes one file, many files or a stream takes the same steps and
differs only in what it computes ahead, and how many regions it hands to the decoder at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from operator import attrgetter

from asr.arrays import Features, Samples
from asr.bundle import Bundle
from asr.decoding import Hypothesis
from asr.decoding.decoder import Decoder
from asr.errors import AsrError, BundleCorruptError
from asr.inference.acoustic_session import AcousticSession
from asr.inference.chunker import Chunk, Chunker, Foreseen, Span
from asr.inference.grouping import grouped
from asr.inference.prefetch import prefetch
from asr.inference.running_cmvn import RunningCmvn
from asr.inference.segments import ALWAYS, Interval, as_segments
from asr.inference.speech_probabilities import SpeechDetector
from asr.inference.stitcher import ChunkLogProbs, OutputFrames, SpeechRegion, Stitcher
from asr.inference.transcript import Segment

_DECODED_TOGETHER, _DECODED_TOGETHER_S = 8, 60.0
"""Regions of one recording that are decoded together, and fewer once they last so many seconds; a segment waits
for them."""


@dataclass(frozen=True, eq=False)
class ChunkFeatures:
    """A chunk's span, and its normalised features (T, F)."""

    span: Span
    features: Features


class ChunkReader:
    """Samples of one recording → its chunks, each with its features: the first two steps, which keep a state."""

    def __init__(self, bundle: Bundle, detector: SpeechDetector) -> None:
        """Begin a recording whose speech ``detector`` finds."""
        self._front_end = bundle.front_end
        self._chunker = Chunker(detector, self._front_end.sample_rate, OutputFrames.of(bundle).grid)
        self._cmvn = RunningCmvn(self._front_end, bundle.cmvn)

    @property
    def duration(self) -> float:
        """Seconds of the recording so far."""
        return self._chunker.duration

    def accept(self, samples: Samples) -> list[ChunkFeatures]:
        """Take samples (n,) float32 at the front end's rate; return the chunks, often none, that they complete."""
        return [self._complete(chunk) for chunk in self._chunker.accept(samples)]

    def finish(self) -> list[ChunkFeatures]:
        """Return the chunks that are left once no more samples come."""
        return [self._complete(chunk) for chunk in self._chunker.finish()]

    def foreseen(self) -> Foreseen:
        """Return what the chunks would be if nothing but silence came from now on."""
        return self._chunker.foreseen()

    def preview(self, chunks: Sequence[Chunk]) -> list[ChunkFeatures]:
        """Return the features of the first chunks that are `foreseen`, and keep nothing of them."""
        cmvn = copy(self._cmvn)
        return [ChunkFeatures(chunk.span, cmvn.accept(self._front_end(chunk.samples))) for chunk in chunks]

    def over(self, blocks: Iterable[Samples]) -> Iterator[ChunkFeatures]:
        """Yield the chunks of all ``blocks`` of samples; before an error, those of what was good."""
        try:
            for block in blocks:
                yield from self.accept(block)
        except AsrError:
            yield from self.finish()
            raise
        yield from self.finish()

    def _complete(self, chunk: Chunk) -> ChunkFeatures:
        return ChunkFeatures(chunk.span, self._cmvn.accept(self._front_end(chunk.samples)))


@dataclass(frozen=True, eq=False)
class Pipeline:
    """The parts that the steps use. It has no state, so several recordings may be on their way at once.

    Attributes:
        bundle: the front end, the normaliser, the vocabulary and how to decode.
        session: computes log-probabilities.
        decoder: finds hypotheses.
        detector: says where speech is.
        threads: chunks whose log-probabilities are computed side by side.
    """

    bundle: Bundle
    session: AcousticSession
    decoder: Decoder
    detector: SpeechDetector
    threads: int

    def reader(self, detector: SpeechDetector | None = None) -> ChunkReader:
        """Return the first steps for a new recording; ``detector`` in place of the pipeline's own."""
        return ChunkReader(self.bundle, detector or self.detector)

    def log_probs(self, chunk: ChunkFeatures) -> ChunkLogProbs:
        """Compute the log-probabilities of one chunk; threads may do so side by side.

        Raises:
            BundleCorruptError: the network gives another number of frames than the bundle says.
        """
        log_probs = self.session.log_probs(chunk.features)
        wanted = -(-len(chunk.features) // OutputFrames.of(self.bundle).subsampling)
        if len(log_probs) != wanted:
            raise BundleCorruptError(
                f"{self.bundle.path}: its model gives {len(log_probs)} frames for {len(chunk.features)}, "
                f"and frame_s says {wanted}; export the bundle again"
            )
        return ChunkLogProbs(chunk.span, log_probs)

    def all_log_probs(self, chunks: Iterable[ChunkFeatures]) -> Iterator[ChunkLogProbs]:
        """Yield the log-probabilities of each chunk, ``threads`` of them computed while the next chunk is read."""
        return prefetch(self.log_probs, chunks, ahead=self.threads, workers=self.threads)

    def stitcher(self) -> Stitcher:
        """Return what joins the chunks of a new recording."""
        return Stitcher(OutputFrames.of(self.bundle), self.bundle.vocabulary)

    def decode(self, regions: Sequence[SpeechRegion], interval: Interval = ALWAYS) -> list[Segment | None]:
        """Return what is said in each region, within ``interval``, all decoded together; None where that is nothing."""
        return self.segmented(regions, self.hypotheses(regions), interval)

    def hypotheses(self, regions: Sequence[SpeechRegion]) -> list[list[Hypothesis]]:
        """Return the hypotheses of each region, best first, all decoded together."""
        return self.decoder.decode([region.log_probs for region in regions])

    def segmented(
        self, regions: Sequence[SpeechRegion], hypotheses: Sequence[Sequence[Hypothesis]], interval: Interval = ALWAYS
    ) -> list[Segment | None]:
        """Return the segments of regions whose `hypotheses` are known, within ``interval``."""
        return as_segments(regions, hypotheses, self.bundle, interval)

    def segments(self, chunks: Iterable[ChunkFeatures], stitcher: Stitcher) -> Iterator[Segment]:
        """Yield what is said in ``chunks``, some regions decoded at a time.

        Before an error or Ctrl-C comes what was said until then.

        Args:
            chunks: the chunks of one recording, or those that are left of it.
            stitcher: the step that joins them to each other, and to those before.
        """
        groups = grouped(
            stitcher.over(self.all_log_probs(chunks)),
            attrgetter("duration"),
            max_size=_DECODED_TOGETHER_S,
            max_count=_DECODED_TOGETHER,
            flush_on=(AsrError, KeyboardInterrupt),
        )
        for group in groups:
            yield from filter(None, self.decode(group))
