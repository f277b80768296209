"""What a recording's header says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from asr.audio.source import UNKNOWN_FRAMES, open_recording


@dataclass(frozen=True)
class AudioInfo:
    """Length and shape of a recording.

    Attributes:
        sample_rate: Hz.
        channels: 1 is mono.
        frames: samples a channel; of MP3 an estimate, good to two MPEG frames where it has a Xing header.
    """

    sample_rate: int
    channels: int
    frames: int

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.frames / self.sample_rate


def audio_info(source: str | Path | BinaryIO) -> AudioInfo:
    """Read the header of ``source``; only where the header does not tell the length is anything decoded.

    Raises:
        AudioError: as `load_audio`, but for what only decoding shows (a cut FLAC, NaN samples).
    """
    from asr.audio.load import decode

    with open_recording(source) as recording:
        frames = recording.frames
        if frames > UNKNOWN_FRAMES:
            frames = sum(len(block) for block in decode(recording, None))
        return AudioInfo(recording.samplerate, recording.channels, frames)
