"""The sample rate, channels and length of a recording, read from its container."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from asr.audio.source import open_recording

_AT_ONCE = 1 << 18


@dataclass(frozen=True)
class AudioInfo:
    """The sample rate, channels and length of a recording.

    Attributes:
        sample_rate: sample rate in Hz.
        channels: number of channels, 1 for mono.
        frames: samples a channel.
    """

    sample_rate: int
    channels: int
    frames: int

    @property
    def duration(self) -> float:
        """The length in seconds."""
        return self.frames / self.sample_rate


def audio_info(source: str | Path | BinaryIO, *, salvage: bool = False) -> AudioInfo:
    """Read what the container of ``source`` says; decode the recording only if that does not tell the length.

    Of a recording that is cut or damaged it is what should be there, where ``salvage`` and not an error.

    Raises:
        AudioError: as for `load_audio`, except errors that only decoding can find (damage within a FLAC, NaN samples).
    """
    with open_recording(source, salvage) as recording:
        frames = recording.frames
        if frames is None:
            frames = sum(len(block) for block in recording.read(0, None, _AT_ONCE))
        return AudioInfo(recording.sample_rate, recording.channels, frames)
