"""Recording from the default microphone by sounddevice (PortAudio)."""

from __future__ import annotations

from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any

import numpy as np

from asr.errors import AudioError, MissingExtraError

_PACKET_S = 0.1


def microphone(sample_rate: int) -> Iterator[np.ndarray]:
    """Yield samples (n,) float32 at ``sample_rate`` Hz as they are recorded, without end; none are lost.

    Raises:
        MissingExtraError: sounddevice is not installed, or finds no PortAudio.
        AudioError: there is no microphone, or it cannot record at this rate.
    """
    sounddevice = _sounddevice()
    packets: SimpleQueue[np.ndarray] = SimpleQueue()
    size = round(_PACKET_S * sample_rate)

    def keep(samples: np.ndarray, *_: object) -> None:
        packets.put(samples[:, 0].copy())

    try:
        stream = sounddevice.InputStream(sample_rate, size, channels=1, dtype="float32", callback=keep)
        with stream:
            while True:
                yield packets.get()
    except sounddevice.PortAudioError as fault:
        raise AudioError(f"microphone: {fault}; choose another as the system's default input") from fault


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError as missing:
        raise MissingExtraError("--mic records by sounddevice", "mic") from missing
    except OSError as missing:
        raise MissingExtraError(f"--mic: {missing}; install PortAudio (Debian: apt install libportaudio2)") from missing
    return sounddevice
