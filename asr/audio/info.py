"""The sample rate, channels and length of a recording, read from its header."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from asr.audio.source import UNKNOWN_FRAMES, open_recording


@dataclass(frozen=True)
class AudioInfo:
    """The sample rate, channels and length of a recording.

    Attributes:
        sample_rate: sample rate in Hz.
        channels: number of channels, 1 for mono.
        frames: samples a channel; for MP3 an estimate, accurate to two MPEG frames if there is a Xing header.
    """

    sample_rate: int
    channels: int
    frames: int

    @property
    def duration(self) -> float:
        """The length in seconds."""
        return self.frames / self.sample_rate


def audio_info(source: str | Path | BinaryIO) -> AudioInfo:
    """Read the header of ``source``; decode the recording only if its header does not state the length.

    Raises:
        AudioError: as for `load_audio`, except errors that only decoding can find (a truncated FLAC, NaN samples).
    """
    from asr.audio.load import decode

    with open_recording(source) as recording:
        frames = recording.frames
        if frames > UNKNOWN_FRAMES:
            frames = sum(len(block) for block in decode(recording, None))
        return AudioInfo(recording.samplerate, recording.channels, frames)
