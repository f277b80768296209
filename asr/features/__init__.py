"""Features of samples: log-mel, MFCC and power spectrogram, and their mean and variance normalisation."""

from asr.features.cmvn import Cmvn, Normaliser, SmoothedCmvn, UtteranceCmvn, cmvn_from_arrays
from asr.features.front_end import FrontEnd
from asr.features.options import FEATURES, LogMel, Mfcc, PowerSpectrogram, freeze, make_front_end

__all__ = [
    "FEATURES",
    "Cmvn",
    "FrontEnd",
    "LogMel",
    "Mfcc",
    "Normaliser",
    "PowerSpectrogram",
    "SmoothedCmvn",
    "UtteranceCmvn",
    "cmvn_from_arrays",
    "freeze",
    "make_front_end",
]
