"""Raw confidences → the share of words that are right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from asr.errors import ConfigError, EvaluationError

_LEAST = 1e-6
"""Raw confidences are kept this far from 0 and 1, whose logits are infinite."""


@dataclass(frozen=True)
class Calibration:
    """A logistic curve over the logit of a raw confidence (Platt 1999); by default it changes nothing.

    >>> Calibration()(np.array([0.25, 0.5])).round(6)
    array([0.25, 0.5 ])
    >>> Calibration(slope=0.5, intercept=1.0)(np.array([0.5])).round(6)
    array([0.731059])
    """

    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        """Probability (W,) that each word is right, from raw confidences (W,)."""
        return _sigmoid(self.slope * _logit(raw) + self.intercept)

    @classmethod
    def fit(cls, raw: np.ndarray, correct: np.ndarray) -> Calibration:
        """The curve of greatest likelihood, by Newton's method; without words, the one that changes nothing.

        Few words or no errors do not make it certain: the targets are drawn in from 0 and 1 as Platt has it,
        (n + 1) / (n + 2) for n right words.

        Args:
            raw: (n,) in [0, 1].
            correct: (n,) bool, whether each word is right.
        """
        correct = np.asarray(correct, bool)
        if not len(correct):
            return cls()
        right = int(correct.sum())
        targets = np.where(correct, (right + 1) / (right + 2), 1 / (len(correct) - right + 2))
        inputs = np.stack([_logit(raw), np.ones(len(correct))], axis=1)
        slope, intercept = _logistic_regression(inputs, targets)
        return cls(slope, intercept)

    def to_json(self) -> dict[str, float]:
        """As a bundle keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Calibration:
        """Read what ``to_json`` gave.

        Raises:
            ConfigError: the fields are others, or no numbers.
        """
        match fields:
            case {"slope": int() | float() as slope, "intercept": int() | float() as intercept}:
                return cls(float(slope), float(intercept))
        raise ConfigError(f'a calibration is {{"slope": number, "intercept": number}}, got {dict(fields)!r}')


@dataclass(frozen=True)
class CalibrationReport:
    """A calibration, and how good it is for speakers it was not fitted to.

    Attributes:
        calibration: fitted to all words.
        words: how many.
        wrong: how many of them are errors.
        error_before: expected calibration error of the raw confidences.
        error_after: that of each half of the speakers calibrated by the other half.
        roc_area: of the raw confidences; calibration leaves their order as it is. None without right or wrong words.
    """

    calibration: Calibration
    words: int
    wrong: int
    error_before: float
    error_after: float
    roc_area: float | None


def calibrate(
    raw: Sequence[np.ndarray], correct: Sequence[np.ndarray], speakers: Sequence[str], seed: int = 0
) -> CalibrationReport:
    """Fit a calibration, and measure it honestly: fitted on half of the speakers, applied to the other, and vice versa.

    Args:
        raw: of each utterance, (W,) as `word_confidence` gives them.
        correct: of each utterance, (W,) bool, as `asr.evaluation.correct_words` gives them.
        speakers: of each utterance.
        seed: of the halves.

    Raises:
        EvaluationError: the utterances' counts differ, none has a word, or all are of one speaker.
    """
    counts = [len(of_words) for of_words in raw]
    if counts != [len(of_words) for of_words in correct] or len(counts) != len(speakers):
        raise EvaluationError("each utterance needs its speaker, and each of its words a confidence and a mark")
    values, marks = np.concatenate([[], *raw]), np.concatenate([np.empty(0, bool), *correct])
    if not len(values):
        raise EvaluationError(f"{len(raw)} utterances have no word to calibrate by")
    first_half = np.repeat(_half(speakers, seed), counts)
    held_out = np.empty(len(values))
    for half in (first_half, ~first_half):
        held_out[half] = Calibration.fit(values[~half], marks[~half])(values[half])
    return CalibrationReport(
        calibration=Calibration.fit(values, marks),
        words=len(marks),
        wrong=int((~marks).sum()),
        error_before=expected_calibration_error(values, marks),
        error_after=expected_calibration_error(held_out, marks),
        roc_area=roc_area(values, marks),
    )


def _half(speakers: Sequence[str], seed: int) -> np.ndarray:
    """Whether each utterance (n,) is of the first half of the speakers, drawn at random."""
    names = sorted(set(speakers))
    if len(names) < 2:
        raise EvaluationError(f"calibration is measured on other speakers than it is fitted to, got only {names}")
    order = np.random.default_rng(seed).permutation(len(names))
    first = {names[i] for i in order[: len(names) // 2]}
    return np.array([speaker in first for speaker in speakers])


def expected_calibration_error(confidence: np.ndarray, correct: np.ndarray, bins: int = 10) -> float:
    """Mean over the words of |mean confidence - share right| of their bin (Naeini et al. 2015), bins of equal width.

    >>> round(expected_calibration_error(np.array([0.95, 0.95, 0.15]), np.array([True, False, False])), 3)
    0.35

    Args:
        confidence: (n,) in [0, 1], n > 0.
        correct: (n,) bool.
        bins: into which [0, 1] is divided.
    """
    place = np.minimum((np.asarray(confidence) * bins).astype(int), bins - 1)
    gaps = np.bincount(place, weights=confidence - np.asarray(correct, float), minlength=bins)
    return float(np.abs(gaps).sum() / len(place))


def roc_area(confidence: np.ndarray, correct: np.ndarray) -> float | None:
    """Probability that a right word has more confidence than a wrong one, ties half (Hanley and McNeil 1982).

    >>> roc_area(np.array([0.9, 0.8, 0.8, 0.1]), np.array([True, True, False, False]))
    0.875

    Returns:
        None where there is no right word, or no wrong one.
    """
    right, wrong = confidence[correct], np.sort(confidence[~correct])
    if not len(right) or not len(wrong):
        return None
    below = np.searchsorted(wrong, right, "left") + np.searchsorted(wrong, right, "right")
    return float(below.mean() / (2 * len(wrong)))


def _logistic_regression(inputs: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """Weights (2,) of inputs (n, 2) that make targets (n,) in (0, 1) likeliest."""
    weights = np.zeros(2)
    for _ in range(100):
        shares = _sigmoid(inputs @ weights)
        curvature = (inputs * (shares * (1 - shares))[:, None]).T @ inputs + 1e-9 * np.eye(2)
        step = np.linalg.solve(curvature, inputs.T @ (targets - shares))
        weights += np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-9:
            break
    return float(weights[0]), float(weights[1])


def _logit(raw: np.ndarray) -> np.ndarray:
    kept = np.clip(np.asarray(raw, np.float64), _LEAST, 1 - _LEAST)
    return np.log(kept) - np.log1p(-kept)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * x))
