"""Decoding of recordings to samples (N,) float32 with one channel at the requested sample rate."""

from asr.audio.blocks import PcmFormat, stream_audio, stream_pipe
from asr.audio.info import AudioInfo, audio_info
from asr.audio.load import MINIMUM_S, load_audio
from asr.audio.resampling import Resampler, resample
from asr.audio.samples import as_samples
from asr.audio.source import AUDIO_SUFFIXES

__all__ = [
    "AUDIO_SUFFIXES",
    "MINIMUM_S",
    "AudioInfo",
    "PcmFormat",
    "Resampler",
    "as_samples",
    "audio_info",
    "load_audio",
    "resample",
    "stream_audio",
    "stream_pipe",
]
