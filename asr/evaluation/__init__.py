"""Error rates, their confidence intervals, comparisons of two systems, and reports."""

from asr.evaluation.alignment import align, alignment_lines
from asr.evaluation.comparison import Comparison, compare, compare_evaluations
from asr.evaluation.error_rate import ErrorRate, error_rate, utterance_errors
from asr.evaluation.evaluation import Evaluation, evaluate
from asr.evaluation.hypotheses import read_hypotheses, write_hypotheses
from asr.evaluation.interval import bootstrap_interval
from asr.evaluation.matched_pairs import MatchedPairs, matched_pairs
from asr.evaluation.paired_bootstrap import Difference, paired_bootstrap
from asr.evaluation.text_files import read_text_pair
from asr.rates import Interval

__all__ = [
    "Comparison",
    "Difference",
    "ErrorRate",
    "Evaluation",
    "Interval",
    "MatchedPairs",
    "align",
    "alignment_lines",
    "bootstrap_interval",
    "compare",
    "compare_evaluations",
    "error_rate",
    "evaluate",
    "matched_pairs",
    "paired_bootstrap",
    "read_hypotheses",
    "read_text_pair",
    "utterance_errors",
    "write_hypotheses",
]
