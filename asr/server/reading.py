"""The way of an uploaded recording up to its regions of speech, a step at a time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import BinaryIO

from asr.audio import stream_audio
from asr.audio.source import open_recording
from asr.errors import AsrError
from asr.inference.pipeline import ChunkFeatures, Pipeline
from asr.inference.stitcher import SpeechRegion
from asr.server.errors import Refusal
from asr.server.options import Limits

_STEP_S = 30
"""Blocks of a second that a step reads: what others wait for."""


class Reading:
    """One recording on its way; the regions, all together, are those of `Transcriber.transcribe`.

    Attributes:
        is_done: whether there is nothing more to read.
        error: why the recording could not be read to its end.
    """

    def __init__(self, pipeline: Pipeline, file: BinaryIO, name: str, limits: Limits) -> None:
        """Begin the recording in ``file``, called ``name`` in messages; nothing is read yet."""
        self._pipeline, self._file, self._name, self._limits = pipeline, file, name, limits
        self._reader, self._stitcher = pipeline.reader(), pipeline.stitcher()
        self._blocks = stream_audio(file, pipeline.bundle.front_end.sample_rate)
        self._is_checked = self.is_done = False
        self.error: AsrError | None = None

    @property
    def duration(self) -> float:
        """Seconds read so far."""
        return self._reader.duration

    def step(self) -> Sequence[SpeechRegion]:
        """Read up to 30 s more; return the regions, often none, that they complete.

        Where the recording cannot be read on, ``error`` says why, and the regions are those of what was good: an
        `AudioError`, or a `Refusal` where it has more seconds or channels than the server takes.
        """
        chunks: list[ChunkFeatures] = []
        read = 0
        try:
            self._check_header()
            for block in islice(self._blocks, _STEP_S):
                chunks += self._reader.accept(block)
                self._check_duration(self.duration)
                read += 1
        except AsrError as fault:
            self.error = fault
        if self.error or read < _STEP_S:
            self.is_done = True
            chunks += self._reader.finish()
        return list(self._stitcher.over(map(self._pipeline.log_probs, chunks)))

    def _check_header(self) -> None:
        """Refuse what the header already says is too much."""
        if self._is_checked:
            return
        self._is_checked = True
        with open_recording(self._file) as recording:
            channels, rate, frames = recording.channels, recording.sample_rate, recording.stated_frames
        self._file.seek(0)
        if channels > self._limits.channels:
            raise self._too_much("audio-channels", f"{channels} channels; this server takes {self._limits.channels}")
        if frames is not None:
            self._check_duration(frames / rate)

    def _check_duration(self, seconds: float) -> None:
        if seconds > self._limits.audio_s:
            most = f"more than {self._limits.audio_s:g} s of audio, which is all that this server takes"
            raise self._too_much("audio-too-long", most)

    def _too_much(self, code: str, message: str) -> Refusal:
        return Refusal(413, code, f"{self._name}: {message}", param="file")
