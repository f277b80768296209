"""Decoding weights and confidence, found on a dev set and kept in the bundle."""

from asr.tuning.dev_set import CONDITIONS, DevSet, dev_set
from asr.tuning.search import Search, Trial, find_weights
from asr.tuning.tune import Tuned, refit_confidence, tune_bundle

__all__ = [
    "CONDITIONS",
    "DevSet",
    "Search",
    "Trial",
    "Tuned",
    "dev_set",
    "find_weights",
    "refit_confidence",
    "tune_bundle",
]
