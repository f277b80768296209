"""Log-probabilities → hypotheses."""

from asr.decoding.greedy import greedy_decode
from asr.decoding.hypothesis import Hypothesis

__all__ = ["Hypothesis", "greedy_decode"]
