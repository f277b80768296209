"""Calibration of raw confidences, so that each is the share of words with that confidence that are right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from asr.errors import ConfigError, EvaluationError

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
        return _sigmoid(self.slope * _logit(raw) + self.intercept)

    @classmethod
    def fit(cls, raw: np.ndarray, correct: np.ndarray) -> Calibration:
        """Fit the curve of greatest likelihood by Newton's method; without words, return the one that changes nothing.

        The curve does not become certain when there are few words or no errors, since the targets are moved away from
        0 and 1 as Platt does: for n right words, the target of a right word is (n + 1) / (n + 2); for m wrong words,
        that of a wrong word is 1 / (m + 2).

        Args:
            raw: (n,) raw confidences in [0, 1].
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


@dataclass(frozen=True)
class CalibrationReport:
    """A calibration, and a measure of how good it is for speakers it was not fitted to.

    Attributes:
        calibration: the curve fitted to all words.
        words: the number of words.
        wrong: the number of words that are errors.
        error_before: the expected calibration error of the raw confidences.
        error_after: the expected calibration error when each half of the speakers is calibrated by the other half.
        roc_area: the area under the ROC curve of the raw confidences, whose order the calibration does not change;
            None if no word is right or none is wrong.
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
    """Fit a calibration to all words, and measure its error on speakers that it was not fitted to.

    The error is measured by two-fold cross-validation: each half of the speakers is calibrated by a curve fitted to the
    other half.

    Args:
        raw: for each utterance, the raw confidences (W,) of its words, as `word_confidence` returns them.
        correct: for each utterance, whether each word is right (W,) bool, as `asr.evaluation.correct_words` returns
            it.
        speakers: the speaker of each utterance.
        seed: the seed of the random split of the speakers into halves.

    Raises:
        EvaluationError: the numbers of utterances or of words differ, no utterance has a word, or all utterances are
            of one speaker.
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
    """Return whether each utterance (n,) is of the first half of the speakers, which is drawn at random."""
    names = sorted(set(speakers))
    if len(names) < 2:
        raise EvaluationError(f"calibration is measured on other speakers than it is fitted to, got only {names}")
    order = np.random.default_rng(seed).permutation(len(names))
    first = {names[i] for i in order[: len(names) // 2]}
    return np.array([speaker in first for speaker in speakers])


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


def _logistic_regression(inputs: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """Return the two weights of inputs (n, 2) that give the targets (n,), in (0, 1), the greatest likelihood."""
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
