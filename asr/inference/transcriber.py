"""A bundle at work: samples → features → log-probabilities → transcript."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np

from asr.audio import as_samples, load_audio
from asr.bundle import Bundle, load_bundle
from asr.data import Utterance
from asr.decoding import Hypothesis, greedy_decode
from asr.errors import AsrError
from asr.inference.ahead import map_ahead, windows
from asr.inference.pieces import cut_at_quiet
from asr.inference.session import AcousticSession
from asr.inference.transcript import Segment, Transcript

PIECE_S = 30.0
"""No piece of a recording is longer: training utterances hardly are, and memory grows with it."""

BATCH_SIZE = 8
_WINDOW_BATCHES = 8
_WINDOW_S = 1200.0
"""Recordings sorted by length at a time: this many batches, fewer once they last this many seconds."""

Source = str | Path | BinaryIO


@dataclass(frozen=True)
class _Recording:
    """Features (T, F), the frames ``[start, stop)`` of its pieces, and its seconds."""

    features: np.ndarray
    pieces: list[tuple[int, int]]
    duration: float


def load_model(
    name_or_path: str | Path | None = None, *, precision: str | None = None, threads: int = 0
) -> Transcriber:
    """Make a bundle ready to transcribe.

    Args:
        name_or_path: a bundle that ships with this package, or a folder; the default bundle when None.
        precision: ``int8`` or ``float32``; the smaller that the bundle has when None.
        threads: of one matrix product; 0 is one a core.

    Raises:
        BundleNotFoundError, BundleCorruptError: no such bundle, or not as it was written.
        BundleError: the bundle has no model of this precision.
    """
    return Transcriber(load_bundle(name_or_path), precision=precision, threads=threads)


class Transcriber:
    """Transcribes recordings with one bundle, best path decoding."""

    def __init__(self, bundle: Bundle, *, precision: str | None = None, threads: int = 0) -> None:
        """Load the bundle's ONNX model; arguments as `load_model`."""
        self.bundle = bundle
        self._session = AcousticSession(bundle.model_path(precision), threads)

    @property
    def sample_rate(self) -> int:
        """Hz that the features are computed at; recordings of any other are resampled."""
        return self.bundle.front_end.sample_rate

    def transcribe(self, source: Source | np.ndarray, sample_rate: int | None = None) -> Transcript:
        """Transcribe one recording.

        Args:
            source: a path, a binary file object, or samples (N,): floats in [-1, 1], int16 or int32.
            sample_rate: Hz of samples; the model's own when None. Files say theirs.

        Raises:
            AudioError: the subclass that says why the recording cannot be used.
            ValueError: ``sample_rate`` came with a file.
        """
        if isinstance(source, np.ndarray):
            samples = as_samples(source, sample_rate or self.sample_rate, self.sample_rate)
        elif sample_rate is not None:
            raise ValueError(f"sample_rate={sample_rate} is for arrays; a file says its own")
        else:
            samples = load_audio(source, self.sample_rate)
        return self._recognise([self._prepare(samples)], BATCH_SIZE)[0]

    def transcribe_many(
        self, sources: Iterable[Source], batch_size: int = BATCH_SIZE
    ) -> Iterator[Transcript | AsrError]:
        """Transcribe recordings, ``batch_size`` of like length at a time, files read ahead in threads.

        Yields:
            For each source, in order, its transcript, or the error that says why there is none.
        """
        return self._run((partial(load_audio, source, self.sample_rate) for source in sources), batch_size)

    def transcribe_utterances(
        self, utterances: Iterable[Utterance], batch_size: int = BATCH_SIZE
    ) -> Iterator[str | AsrError]:
        """Text of each utterance of a manifest, in order, or the error that says why there is none."""
        for result in self._run(map(self._loader, utterances), batch_size):
            yield result.text if isinstance(result, Transcript) else result

    def _loader(self, utterance: Utterance) -> Callable[[], np.ndarray]:
        span = {"offset_s": utterance.offset, "duration_s": utterance.duration}
        return partial(load_audio, utterance.audio_filepath, self.sample_rate, **span)

    def _run(self, loaders: Iterable[Callable[[], np.ndarray]], batch_size: int) -> Iterator[Transcript | AsrError]:
        prepared = map_ahead(self._load, loaders, ahead=batch_size)
        for window in windows(prepared, _seconds, _WINDOW_S, _WINDOW_BATCHES * batch_size):
            good = [item for item in window if isinstance(item, _Recording)]
            transcripts = iter(self._recognise(good, batch_size))
            for item in window:
                yield next(transcripts) if isinstance(item, _Recording) else item

    def _load(self, loader: Callable[[], np.ndarray]) -> _Recording | AsrError:
        try:
            return self._prepare(loader())
        except AsrError as error:
            return error

    def _prepare(self, samples: np.ndarray) -> _Recording:
        front_end = self.bundle.front_end
        features = self.bundle.cmvn(front_end(samples))
        cuts = [stop for _, stop in cut_at_quiet(samples, front_end.sample_rate, front_end.hop_length, PIECE_S)]
        inner = [stop + front_end.margin for stop in cuts[:-1]]
        return _Recording(
            features=features,
            pieces=list(pairwise([0, *inner, len(features)])),
            duration=len(samples) / front_end.sample_rate,
        )

    def _recognise(self, recordings: Sequence[_Recording], batch_size: int) -> list[Transcript]:
        """Transcripts, in order; pieces of like length share a batch, so that little is padded."""
        pieces = [r.features[start:stop] for r in recordings for start, stop in r.pieces]
        by_length = sorted(range(len(pieces)), key=lambda i: len(pieces[i]))
        hypotheses: dict[int, Hypothesis] = {}
        for at in range(0, len(pieces), batch_size):
            batch = by_length[at : at + batch_size]
            log_probs = self._session.log_probs([pieces[i] for i in batch])
            hypotheses |= {i: greedy_decode(p, self.bundle.vocabulary) for i, p in zip(batch, log_probs, strict=True)}
        in_order = iter([hypotheses[i] for i in range(len(pieces))])
        return [self._transcript(r, [next(in_order) for _ in r.pieces]) for r in recordings]

    def _transcript(self, recording: _Recording, hypotheses: Sequence[Hypothesis]) -> Transcript:
        pieces = zip(recording.pieces, hypotheses, strict=True)
        segments = tuple(
            self._segment(start, hypothesis, recording.duration)
            for (start, _), hypothesis in pieces
            if hypothesis.text.strip()
        )
        return Transcript(" ".join(s.text for s in segments), segments, recording.duration)

    def _segment(self, start_frame: int, hypothesis: Hypothesis, duration: float) -> Segment:
        """From the first label's frame to the end of the last label's, within the recording."""
        front_end = self.bundle.front_end
        offset_s = (start_frame - front_end.margin) * front_end.hop_length / front_end.sample_rate
        first, last = hypothesis.frames[0], hypothesis.frames[-1] + 1
        return Segment(
            start=min(max(offset_s + first * self.bundle.frame_s, 0.0), duration),
            end=min(max(offset_s + last * self.bundle.frame_s, 0.0), duration),
            text=" ".join(hypothesis.text.split()),
        )


def _seconds(item: _Recording | AsrError) -> float:
    return item.duration if isinstance(item, _Recording) else 0.0
