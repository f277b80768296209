"""Calibration of raw confidences, as bundles of before have it, and measures of how good confidence is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from asr.decoding.confidence_model import sigmoid
from asr.errors import ConfigError

_LEAST = 1e-6
"""How far raw confidences are kept from 0 and 1, whose logits are infinite."""


@dataclass(frozen=True)
class Calibration:
    """A logistic curve over the logit of a raw confidence (Platt 1999); the default one changes nothing.

    >>> Calibration()(np.array([0.25, 0.5])).round(6)
    array([0.25, 0.5 ])
    >>> Calibration(slope=0.5, intercept=1.0)(np.array([0.5])).round(6)
    array([0.731059])
    """

    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        """Return the probability (W,) that each word is right, given the raw confidences (W,)."""
        return sigmoid(self.slope * _logit(raw) + self.intercept)

    def to_json(self) -> dict[str, float]:
        """Return the fields as a bundle stores them."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Calibration:
        """Read the fields that ``to_json`` returned.

        Raises:
            ConfigError: a field is missing or is not a number.
        """
        match fields:
            case {"slope": int() | float() as slope, "intercept": int() | float() as intercept}:
                return cls(float(slope), float(intercept))
        raise ConfigError(f'a calibration is {{"slope": number, "intercept": number}}, got {dict(fields)!r}')


def expected_calibration_error(confidence: np.ndarray, correct: np.ndarray, bins: int = 10) -> float:
    """Return the expected calibration error (Naeini et al. 2015) over bins of equal width.

    It is the mean over the words of |mean confidence - share of right words| in the bin of each word.

    >>> round(expected_calibration_error(np.array([0.95, 0.95, 0.15]), np.array([True, False, False])), 3)
    0.35

    Args:
        confidence: (n,) the confidence of each word, in [0, 1]; n > 0.
        correct: (n,) bool, whether each word is right.
        bins: the number of bins into which [0, 1] is divided.
    """
    place = np.minimum((np.asarray(confidence) * bins).astype(int), bins - 1)
    gaps = np.bincount(place, weights=confidence - np.asarray(correct, float), minlength=bins)
    return float(np.abs(gaps).sum() / len(place))


def roc_area(confidence: np.ndarray, correct: np.ndarray) -> float | None:
    """Compute the area under the ROC curve (Hanley and McNeil 1982).

    It is the probability that a right word has a higher confidence than a wrong one, where ties count half.

    >>> roc_area(np.array([0.9, 0.8, 0.8, 0.1]), np.array([True, True, False, False]))
    0.875

    Returns:
        The area, or None if no word is right or none is wrong.
    """
    right, wrong = confidence[correct], np.sort(confidence[~correct])
    if not len(right) or not len(wrong):
        return None
    below = np.searchsorted(wrong, right, "left") + np.searchsorted(wrong, right, "right")
    return float(below.mean() / (2 * len(wrong)))


def _logit(raw: np.ndarray) -> np.ndarray:
    kept = np.clip(np.asarray(raw, np.float64), _LEAST, 1 - _LEAST)
    return np.log(kept) - np.log1p(-kept)
