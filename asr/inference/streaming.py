"""Text while it is spoken."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

from numpy.typing import ArrayLike

from asr.audio import Resampler
from asr.audio.samples import as_packet
from asr.inference.pipeline import ChunkFeatures
from asr.inference.transcriber import Transcriber
from asr.inference.transcript import Segment


@dataclass(frozen=True)
class Update:
    """The text that one packet brought.

    Attributes:
        final: segments that are decided; they never change.
        partial: what has been said since, as far as it was heard; it may still change.
        stable: the first words of the partial that the partial before had too.
    """

    final: tuple[Segment, ...] = ()
    partial: str = ""
    stable: str = ""


class StreamingTranscriber:
    """Transcribes one recording as its samples come, in packets of any size.

    The segments, all together, are those of `Transcriber.transcribe` of the whole. A packet waits for the network where
    the partial is due again, or a chunk is complete; nothing runs in between.

    Latency, beside the packets' own length and the computing: a word is heard into the next partial, at most
    ``interval_s`` (0.5 s) after its end, or up to 1.5 s later where it begins speech after a silence (the detector
    decides 1 s at a time and hears 0.5 s beyond); it is stable a partial later, unless its text changes; and it is
    final 0.5 to 3 s after the silence that ends its speech began, or, where nobody pauses for half a second, after
    60 to 86 s of speech. In the first 6 s of a recording nothing is final.
    """

    def __init__(self, model: Transcriber, sample_rate: int | None = None, *, interval_s: float = 0.5) -> None:
        """Begin a recording.

        Args:
            model: what transcribes; several recordings may share it.
            sample_rate: Hz of the packets; the model's own when None.
            interval_s: seconds of samples from one partial to the next.

        Raises:
            SampleRateError: ``sample_rate`` is outside 4 kHz to 384 kHz.
        """
        self._pipeline, self._interval_s = model.pipeline, interval_s
        self._resampler = Resampler(sample_rate or model.sample_rate, model.sample_rate)
        self._reader, self._stitcher = self._pipeline.reader(), self._pipeline.stitcher()
        self._partial = self._stable = ""
        self._due_s = interval_s

    @property
    def heard_s(self) -> float:
        """Seconds heard so far."""
        return self._reader.duration

    def accept(self, samples: ArrayLike) -> Update:
        """Take a packet (n,) of floats in [-1, 1], int16 or int32.

        Raises:
            AudioFormatError: another shape or type.
            AudioNotFiniteError: NaN or infinite samples.
        """
        chunks = self._reader.accept(self._resampler.accept(as_packet(samples)))
        final = self._decode(chunks)
        if chunks or self.heard_s >= self._due_s:
            self._look_again(anew=bool(final))
        return Update(final, self._partial, self._stable)

    def finish(self) -> Update:
        """Return the rest, once the last packet came; there is no partial then."""
        chunks = self._reader.accept(self._resampler.finish()) + self._reader.finish()
        self._partial = self._stable = ""
        return Update(self._decode(chunks))

    def _decode(self, chunks: list[ChunkFeatures]) -> tuple[Segment, ...]:
        regions = list(self._stitcher.over(map(self._pipeline.log_probs, chunks)))
        return tuple(filter(None, self._pipeline.decode(regions)))

    def _look_again(self, anew: bool) -> None:
        self._due_s = self.heard_s + self._interval_s
        before = "" if anew else self._partial
        self._partial = self._open_text()
        pairs = zip(before.split(), self._partial.split(), strict=False)
        self._stable = " ".join(word for word, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    def _open_text(self) -> str:
        """Return what is said in the chunk that is not complete yet, as far as it was heard."""
        chunk = self._reader.preview()
        if chunk is None:
            return ""
        (segment,) = self._pipeline.decode([self._stitcher.preview(self._pipeline.log_probs(chunk))])
        return "" if segment is None else segment.text
