"""Transcribe recordings, one or many, with a bundle."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from asr.arrays import LogProbs, Samples
from asr.audio import as_samples, stream_audio
from asr.audio.voice_activity import VoiceActivity
from asr.bundle import Bundle, load_bundle
from asr.data import Utterance
from asr.decoding.decoder import Decoder
from asr.errors import AsrError, ConfigError
from asr.inference.acoustic_session import AcousticSession
from asr.inference.batch import BATCH_SIZE, Opener, transcribe_batch
from asr.inference.decoding_options import Decoding
from asr.inference.pipeline import Pipeline
from asr.inference.speech_probabilities import SpeechDetector, all_speech
from asr.inference.stitcher import OutputFrames
from asr.inference.transcript import Segment, Transcript

Source = str | Path | BinaryIO

MOST_THREADS = 512
"""Each thread holds a chunk and what was computed of it."""


def load_model(
    name_or_path: str | Path | None = None,
    *,
    precision: str | None = None,
    threads: int = 0,
    decoding: Decoding | None = None,
    speech_detector: SpeechDetector | None = None,
) -> Transcriber:
    """Make a bundle ready to transcribe.

    Args:
        name_or_path: a bundle that ships with this package, or a folder; when None, what the environment variable
            ASR_MODEL names, or else the default bundle.
        precision: ``int8`` or ``float32``; the smaller that the bundle has when None.
        threads: chunks computed side by side; 0 is one a core.
        decoding: where it is not as the bundle was tuned: hotwords, a grammar, another language model, n-best.
        speech_detector: says where speech is, in a recording of more than six seconds; the detector that ships when
            None. `asr.inference.speech_probabilities.all_speech` has nothing skipped.

    Raises:
        BundleNotFoundError, BundleCorruptError: no such bundle, or not as it was written.
        BundleError: the bundle has no model of this precision.
        LanguageModelError, VocabularyError: what ``decoding`` names cannot be used.
    """
    bundle = load_bundle(name_or_path)
    decoder = (decoding or Decoding()).decoder(bundle)
    return Transcriber(bundle, decoder, precision=precision, threads=threads, speech_detector=speech_detector)


class Transcriber:
    """Transcribes recordings with one bundle. What it says of a recording depends on that recording alone."""

    def __init__(
        self,
        bundle: Bundle,
        decoder: Decoder | None = None,
        *,
        precision: str | None = None,
        threads: int = 0,
        speech_detector: SpeechDetector | None = None,
    ) -> None:
        """Load the bundle's ONNX model; arguments as `load_model`, the decoder the bundle's own when None.

        Raises:
            ConfigError: ``threads`` is negative, or more than any machine can use.
        """
        if not 0 <= threads <= MOST_THREADS:
            raise ConfigError(f"threads must be 0 to {MOST_THREADS}, got {threads}")
        self.pipeline = Pipeline(
            bundle,
            AcousticSession(bundle.model_path(precision), len(bundle.vocabulary)),
            decoder or Decoding().decoder(bundle),
            speech_detector or _shipped_detector(),
            threads or os.cpu_count() or 1,
        )

    def with_decoding(self, decoding: Decoding) -> Transcriber:
        """Return a transcriber that shares this one's network, and decodes as ``decoding`` says.

        Raises:
            ConfigError, LanguageModelError, VocabularyError: as `Decoding.decoder`.
        """
        other = copy(self)
        other.pipeline = replace(self.pipeline, decoder=decoding.decoder(self.bundle))
        return other

    @property
    def bundle(self) -> Bundle:
        """The bundle that transcribes."""
        return self.pipeline.bundle

    @property
    def sample_rate(self) -> int:
        """Hz at which features are computed; recordings of any other rate are resampled."""
        return self.bundle.front_end.sample_rate

    def transcribe(
        self,
        source: Source | np.ndarray,
        sample_rate: int | None = None,
        *,
        on_segment: Callable[[Segment], object] = lambda segment: None,
        salvage: bool = False,
    ) -> Transcript:
        """Transcribe one recording; memory grows with its text only.

        Args:
            source: a path, a binary file object, or samples (N,): floats in [-1, 1], int16 or int32.
            sample_rate: rate of samples in Hz; the model's own when None. Files say theirs.
            on_segment: called with each segment, some at a time as they are decided.
            salvage: keep what is good of a file that is cut or damaged; an `AudioWarning` says how much is missing.

        Raises:
            AudioError: the subclass that says why the recording cannot be used.
            ValueError: ``sample_rate`` came with a file.
        """
        reader, found = self.pipeline.reader(), []
        chunks = reader.over(self._blocks(source, sample_rate, salvage))
        for segment in self.pipeline.segments(chunks, self.pipeline.stitcher()):
            found.append(segment)
            on_segment(segment)
        return Transcript.of(found, reader.duration)

    def segments(
        self, source: Source | np.ndarray, sample_rate: int | None = None, *, salvage: bool = False
    ) -> Iterator[Segment]:
        """Yield the segments of one recording as they are decided, some at a time; memory does not grow with it.

        Arguments and errors as `transcribe`; an error that shows on the way comes after the segments before it.
        """
        chunks = self.pipeline.reader().over(self._blocks(source, sample_rate, salvage))
        return self.pipeline.segments(chunks, self.pipeline.stitcher())

    def log_probs(
        self, source: Source | np.ndarray, sample_rate: int | None = None, *, salvage: bool = False
    ) -> LogProbs:
        """Compute the log-probabilities, float32, of one whole recording, nothing skipped.

        Arguments and errors as `transcribe`. Frame t is around second ``t * bundle.frame_s``, later by the front end's
        margin where it has one. A long recording is computed in chunks, each heard with what is around it.
        """
        chunks = self.pipeline.reader(all_speech).over(self._blocks(source, sample_rate, salvage))
        frames = OutputFrames.of(self.bundle)
        return LogProbs.concatenate([frames.core(chunk).log_probs for chunk in self.pipeline.all_log_probs(chunks)])

    def transcribe_many(
        self, sources: Iterable[Source], batch_size: int = BATCH_SIZE, *, salvage: bool = False
    ) -> Iterator[Transcript | AsrError]:
        """Transcribe recordings: files are read ahead in threads, and ``batch_size`` of them are decoded together.

        Where ``salvage``, what is good of files that are cut or damaged is kept, as by `transcribe`.

        Yields:
            For each source, in order, its transcript, or the error that says why there is none.
        """
        openers = (partial(stream_audio, source, self.sample_rate, salvage=salvage) for source in sources)
        return transcribe_batch(self.pipeline, openers, batch_size)

    def transcribe_utterances(
        self, utterances: Iterable[Utterance], batch_size: int = BATCH_SIZE, *, salvage: bool = False
    ) -> Iterator[Transcript | AsrError]:
        """Transcribe each utterance of a manifest, as `transcribe_many`; times count from the utterance's start."""
        return transcribe_batch(self.pipeline, map(partial(self._opener, salvage=salvage), utterances), batch_size)

    def _opener(self, utterance: Utterance, salvage: bool) -> Opener:
        return partial(
            stream_audio,
            utterance.audio_filepath,
            self.sample_rate,
            offset_s=utterance.offset,
            duration_s=utterance.duration,
            salvage=salvage,
        )

    def _blocks(self, source: Source | np.ndarray, sample_rate: int | None, salvage: bool) -> Iterable[Samples]:
        if isinstance(source, np.ndarray):
            return [as_samples(source, sample_rate or self.sample_rate, self.sample_rate)]
        if sample_rate is not None:
            raise ValueError(f"sample_rate={sample_rate} is for arrays; a file says its own")
        return stream_audio(source, self.sample_rate, salvage=salvage)


@lru_cache(maxsize=1)
def _shipped_detector() -> VoiceActivity:
    """Return one detector for all models of a process: it has no state."""
    return VoiceActivity.load()
