"""A bundle at work: samples → pieces → features → log-probabilities → transcript."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO

import numpy as np

from asr.audio import as_samples, stream_audio
from asr.audio.voice_activity import VoiceActivity
from asr.bundle import Bundle, load_bundle
from asr.data import Utterance
from asr.decoding.decoder import Decoder
from asr.errors import AsrError
from asr.inference.ahead import map_ahead, windows
from asr.inference.decoders import Decoding
from asr.inference.normalise import RunningFeatures
from asr.inference.pieces import Piece, PieceCutter, Span, every_sound
from asr.inference.pieces import VoiceActivity as HearsSpeech
from asr.inference.runs import OutputFrames, Run, Runs
from asr.inference.segments import as_segments
from asr.inference.session import AcousticSession
from asr.inference.transcript import Segment, Transcript

BATCH_SIZE = 8
_WINDOW_BATCHES, _WINDOW_S = 4, 300.0
"""Recordings that are sorted by length, and searched side by side: this many batches, fewer once they last so many
seconds. With a batch size of 1 each is searched alone."""

_READ_AHEAD = 32
"""Recordings read while others are searched; each keeps its file open."""

_RUNS_AT_ONCE, _RUNS_AT_ONCE_S = 8, 60.0
"""Runs of one recording that are decoded together, fewer once they last so many seconds; a segment waits for them."""

_HEAD_S = 60.0
"""What lies beyond this in a recording is computed alone, when its turn comes, so that memory does not grow."""

Source = str | Path | BinaryIO
_Prepared = tuple[Span, np.ndarray]
"""Where a piece is, and its features (T, F)."""

_Blocks = Callable[[], Iterable[np.ndarray]]


class _Pieces:
    """The pieces of one recording as it is read, each with its features; before an error, those of what was good."""

    def __init__(self, blocks: Iterable[np.ndarray], cutter: PieceCutter, features: RunningFeatures) -> None:
        self._blocks, self._cutter, self._features = blocks, cutter, features

    def __iter__(self) -> Iterator[_Prepared]:
        try:
            for block in self._blocks:
                yield from self._prepared(self._cutter.accept(block))
        except AsrError:
            yield from self._prepared(self._cutter.finish())
            raise
        yield from self._prepared(self._cutter.finish())

    def _prepared(self, pieces: Iterable[Piece]) -> Iterator[_Prepared]:
        for piece in pieces:
            yield piece.span, self._features.accept(piece.samples)

    @property
    def duration(self) -> float:
        """Seconds read so far."""
        return self._cutter.heard_s


@dataclass(frozen=True)
class _Recording:
    """A recording on its way: its first pieces, and those that are still to be read."""

    pieces: _Pieces
    head: list[_Prepared]
    rest: Iterator[_Prepared]


def load_model(
    name_or_path: str | Path | None = None,
    *,
    precision: str | None = None,
    threads: int = 0,
    decoding: Decoding | None = None,
    voice_activity: HearsSpeech | None = None,
) -> Transcriber:
    """Make a bundle ready to transcribe.

    Args:
        name_or_path: a bundle that ships with this package, or a folder; the default bundle when None.
        precision: ``int8`` or ``float32``; the smaller that the bundle has when None.
        threads: of one matrix product; 0 is one a core.
        decoding: where it is not as the bundle was tuned: hotwords, a grammar, another language model, n-best.
        voice_activity: says where speech is, in a recording of more than six seconds; the detector that ships when
            None. `asr.inference.pieces.every_sound` has nothing skipped.

    Raises:
        BundleNotFoundError, BundleCorruptError: no such bundle, or not as it was written.
        BundleError: the bundle has no model of this precision.
        LanguageModelError, VocabularyError: what ``decoding`` names cannot be used.
    """
    bundle = load_bundle(name_or_path)
    decoder = (decoding or Decoding()).decoder(bundle)
    return Transcriber(bundle, decoder, precision=precision, threads=threads, voice_activity=voice_activity)


class Transcriber:
    """Transcribes recordings with one bundle."""

    def __init__(
        self,
        bundle: Bundle,
        decoder: Decoder | None = None,
        *,
        precision: str | None = None,
        threads: int = 0,
        voice_activity: HearsSpeech | None = None,
    ) -> None:
        """Load the bundle's ONNX model; arguments as `load_model`, the decoder the bundle's own when None."""
        self.bundle = bundle
        self._decoder = decoder or Decoding().decoder(bundle)
        self._session = AcousticSession(bundle.model_path(precision), threads)
        self._voice_activity = voice_activity or _shipped_detector()
        self._frames = OutputFrames.of(bundle)

    @property
    def sample_rate(self) -> int:
        """Hz that the features are computed at; recordings of any other are resampled."""
        return self.bundle.front_end.sample_rate

    @property
    def frame_s(self) -> float:
        """Seconds from one frame of log-probabilities to the next."""
        return self.bundle.frame_s

    # One recording

    def transcribe(
        self,
        source: Source | np.ndarray,
        sample_rate: int | None = None,
        *,
        on_segment: Callable[[Segment], object] | None = None,
    ) -> Transcript:
        """Transcribe one recording; memory grows with its text only.

        Args:
            source: a path, a binary file object, or samples (N,): floats in [-1, 1], int16 or int32.
            sample_rate: Hz of samples; the model's own when None. Files say theirs.
            on_segment: called with each segment, some at a time as they are decided.

        Raises:
            AudioError: the subclass that says why the recording cannot be used.
            ValueError: ``sample_rate`` came with a file.
        """
        pieces = self._cut(self._blocks(source, sample_rate))
        segments = self._segments(self.runs().over(self._computed(pieces)))
        return _transcript(segments if on_segment is None else _telling(segments, on_segment), pieces)

    def segments(self, source: Source | np.ndarray, sample_rate: int | None = None) -> Iterator[Segment]:
        """Yield the segments of one recording as they are decided, some at a time; memory does not grow with it.

        Arguments and errors as `transcribe`; an error that shows on the way comes after the segments before it.
        """
        return self._segments(self.runs().over(self._computed(self._cut(self._blocks(source, sample_rate)))))

    def log_probs(self, source: Source | np.ndarray, sample_rate: int | None = None) -> np.ndarray:
        """Natural log-probabilities (T', V + P) float32 of one whole recording, nothing skipped, every ``frame_s``.

        Characters stand first, then phones where the model hears them; each sum to 1.

        Arguments and errors as `transcribe`. Frame t is around second ``t * frame_s``, later by the front end's
        margin where it has one. A long recording is computed in pieces, each heard with what is around it.
        """
        cutter = PieceCutter(every_sound, self.sample_rate, self._frames.grid)
        pieces = _Pieces(self._blocks(source, sample_rate), cutter, self.features())
        return np.concatenate([self._frames.core(*computed).log_probs for computed in self._computed(pieces)])

    # Many recordings

    def transcribe_many(
        self, sources: Iterable[Source], batch_size: int = BATCH_SIZE
    ) -> Iterator[Transcript | AsrError]:
        """Transcribe recordings, ``batch_size`` of like length at a time, files read ahead in threads.

        Yields:
            For each source, in order, its transcript, or the error that says why there is none.
        """
        return self._run((partial(stream_audio, source, self.sample_rate) for source in sources), batch_size)

    def transcribe_utterances(
        self, utterances: Iterable[Utterance], batch_size: int = BATCH_SIZE
    ) -> Iterator[str | AsrError]:
        """Text of each utterance of a manifest, in order, or the error that says why there is none."""
        for result in self.utterance_transcripts(utterances, batch_size):
            yield result.text if isinstance(result, Transcript) else result

    def utterance_transcripts(
        self, utterances: Iterable[Utterance], batch_size: int = BATCH_SIZE
    ) -> Iterator[Transcript | AsrError]:
        """As `transcribe_utterances`, with the words' confidence and times, in seconds from the utterance's start."""
        return self._run(map(self._opener, utterances), batch_size)

    def _opener(self, utterance: Utterance) -> _Blocks:
        span = {"offset_s": utterance.offset, "duration_s": utterance.duration}
        return partial(stream_audio, utterance.audio_filepath, self.sample_rate, **span)

    def _run(self, openers: Iterable[_Blocks], batch_size: int) -> Iterator[Transcript | AsrError]:
        prepared = map_ahead(self._load, openers, ahead=max(_READ_AHEAD, batch_size))
        for window in windows(prepared, _seconds, _WINDOW_S, _WINDOW_BATCHES * batch_size):
            good = [item for item in window if isinstance(item, _Recording)]
            log_probs = iter(self._batched([features for r in good for _, features in r.head], batch_size))
            for items in [window] if batch_size > 1 else [[item] for item in window]:
                yield from self._read_together(items, log_probs)

    def _read_together(
        self, items: Sequence[_Recording | AsrError], log_probs: Iterator[np.ndarray]
    ) -> Iterator[Transcript | AsrError]:
        """Yield each item's result; the recordings' heads, whose ``log_probs`` come in order, are decoded together."""
        begun = [self._begin(item, log_probs) for item in items if isinstance(item, _Recording)]
        segments = iter(self.read([run for _, runs in begun for run in runs]))
        heads = iter([(joined, [next(segments) for _ in runs]) for joined, runs in begun])
        for item in items:
            yield self._finish(item, *next(heads)) if isinstance(item, _Recording) else item

    def _begin(self, recording: _Recording, log_probs: Iterator[np.ndarray]) -> tuple[Runs, list[Run]]:
        """The runs of a recording's head, and what joins those of its rest; takes the head's from ``log_probs``."""
        joined = self.runs()
        return joined, list(joined.over((span, next(log_probs)) for span, _ in recording.head))

    def _load(self, opener: _Blocks) -> _Recording | AsrError:
        """Read one recording, a long one's beginning."""
        pieces = self._cut(opener())
        head, rest = [], iter(pieces)
        try:
            for span, features in rest:
                head.append((span, features))
                if span.stop > _HEAD_S * self.sample_rate:
                    break
        except AsrError as error:
            return error
        return _Recording(pieces, head, rest)

    def _batched(self, features: Sequence[np.ndarray], batch_size: int) -> list[np.ndarray]:
        """Log-probabilities, in order; pieces of like length share a batch, so that little is padded."""
        by_length = sorted(range(len(features)), key=lambda i: len(features[i]))
        found: dict[int, np.ndarray] = {}
        for at in range(0, len(features), batch_size):
            batch = by_length[at : at + batch_size]
            found |= zip(batch, self._session.log_probs([features[i] for i in batch]), strict=True)
        return [found[i] for i in range(len(features))]

    def _finish(self, recording: _Recording, joined: Runs, head: Sequence[Segment | None]) -> Transcript | AsrError:
        """The transcript, once what is left of a long recording is read."""
        rest = self._segments(joined.over(self._computed(recording.rest)))
        try:
            return _transcript(chain((segment for segment in head if segment), rest), recording.pieces)
        except AsrError as error:
            return error

    # Steps, shared with whoever hears a recording while it is made

    def cutter(self) -> PieceCutter:
        """What cuts one recording, its samples at ``sample_rate``, into pieces."""
        return PieceCutter(self._voice_activity, self.sample_rate, self._frames.grid)

    def runs(self) -> Runs:
        """What joins the pieces of one recording."""
        return Runs(self._frames, self.bundle.vocabulary)

    def features(self) -> RunningFeatures:
        """What computes the features of the pieces of one recording."""
        return RunningFeatures(self.bundle.front_end, self.bundle.cmvn)

    def compute(self, features: np.ndarray) -> np.ndarray:
        """Log-probabilities (T', V + P) of a piece, its context included, by its features (T, F)."""
        return self._session.log_probs([features])[0]

    def read(self, runs: Sequence[Run]) -> list[Segment | None]:
        """What each run says; None where that is nothing."""
        return as_segments(runs, self._decoder.decode([run.log_probs for run in runs]), self.bundle)

    def _blocks(self, source: Source | np.ndarray, sample_rate: int | None) -> Iterable[np.ndarray]:
        if isinstance(source, np.ndarray):
            return [as_samples(source, sample_rate or self.sample_rate, self.sample_rate)]
        if sample_rate is not None:
            raise ValueError(f"sample_rate={sample_rate} is for arrays; a file says its own")
        return stream_audio(source, self.sample_rate)

    def _cut(self, blocks: Iterable[np.ndarray]) -> _Pieces:
        return _Pieces(blocks, self.cutter(), self.features())

    def _computed(self, pieces: Iterable[_Prepared]) -> Iterator[tuple[Span, np.ndarray]]:
        """Yield each piece's log-probabilities, two computed while the next is read.

        One by one and not in batches: eight-bit models scale by batch, and a piece then gives the same whether it
        was heard live or read from a file.
        """
        for result in map_ahead(self._compute_or_pass, _with_error(pieces), ahead=2):
            if isinstance(result, AsrError):
                raise result
            yield result

    def _compute_or_pass(self, item: _Prepared | AsrError) -> tuple[Span, np.ndarray] | AsrError:
        return item if isinstance(item, AsrError) else (item[0], self.compute(item[1]))

    def _segments(self, runs: Iterable[Run]) -> Iterator[Segment]:
        """Yield what some runs at a time say; before an error or Ctrl-C, what those say that were good."""
        endings = (AsrError, KeyboardInterrupt)
        for some in windows(runs, attrgetter("duration"), _RUNS_AT_ONCE_S, _RUNS_AT_ONCE, flush_on=endings):
            yield from filter(None, self.read(some))


@lru_cache(maxsize=1)
def _shipped_detector() -> VoiceActivity:
    """One for all models of a process: it has no state."""
    return VoiceActivity.load()


def _with_error(pieces: Iterable[_Prepared]) -> Iterator[_Prepared | AsrError]:
    """Yield what ends ``pieces`` as their last, so that those before it are not lost in the pool."""
    try:
        yield from pieces
    except AsrError as error:
        yield error


def _telling(segments: Iterable[Segment], on_segment: Callable[[Segment], object]) -> Iterator[Segment]:
    for segment in segments:
        on_segment(segment)
        yield segment


def _transcript(segments: Iterable[Segment], pieces: _Pieces) -> Transcript:
    found = tuple(segments)
    return Transcript(" ".join(s.text for s in found), found, pieces.duration)


def _seconds(item: _Recording | AsrError) -> float:
    return item.pieces.duration if isinstance(item, _Recording) else 0.0
