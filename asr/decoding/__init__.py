"""Log-probabilities → hypotheses."""

from asr.decoding.greedy import greedy_decode
from asr.decoding.hypothesis import Hypothesis
from asr.decoding.prefix_beam_search import BeamOptions, PrefixBeamSearch

__all__ = ["BeamOptions", "Hypothesis", "PrefixBeamSearch", "greedy_decode"]
