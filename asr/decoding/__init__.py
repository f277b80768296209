"""Decoders, which turn the network's log-probabilities into hypotheses."""

from asr.decoding.beam import BeamOptions
from asr.decoding.decoder import BeamDecoder, Decoder, GreedyDecoder, probabilities
from asr.decoding.fusion import FusionWeights, WordFusion
from asr.decoding.greedy import greedy_decode
from asr.decoding.hypothesis import Hypothesis
from asr.decoding.phone_decoder import PhoneDecoder
from asr.decoding.prefix_beam_search import PrefixBeamSearch
from asr.decoding.settings import DecoderSettings, PhoneSettings

__all__ = [
    "BeamDecoder",
    "BeamOptions",
    "Decoder",
    "DecoderSettings",
    "FusionWeights",
    "GreedyDecoder",
    "Hypothesis",
    "PrefixBeamSearch",
    "PhoneDecoder",
    "PhoneSettings",
    "WordFusion",
    "greedy_decode",
    "probabilities",
]
