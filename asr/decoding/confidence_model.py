"""The confidence of words: a logistic model of the evidence for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from asr.decoding.word_evidence import Features

_RIDGE = 1.0
"""Strength of the penalty on the squares of the weights, each counted for a feature of unit variance."""


@dataclass(frozen=True)
class ConfidenceModel:
    """The probability that a word is right: a logistic function of a weighted sum of its features.

    >>> model = ConfidenceModel({"letters_evidence": 0.5}, intercept=1.0)
    >>> model({"spelled": np.array([0.12, 0.5]), "letters_evidence": np.array([-2.0, 0.0])}).round(3).tolist()
    [0.5, 0.731]

    Attributes:
        weights: the weight of each feature, by its name in `asr.decoding.word_evidence`.
        intercept: what is added to the sum.
    """

    weights: Mapping[str, float]
    intercept: float = 0.0

    def applies_to(self, features: Features) -> bool:
        """Tell whether words with ``features`` have all that the model asks for."""
        return self.weights.keys() <= features.keys()

    def __call__(self, features: Features) -> np.ndarray:
        """Return the probability (W,) that each word is right, given the features (W,) of each."""
        total = np.full(len(features["spelled"]), self.intercept)
        for name, weight in self.weights.items():  # one by one, so that each word's sum is the same among any others
            total += weight * features[name]
        return sigmoid(total)

    @classmethod
    def fit(cls, features: Features, names: Sequence[str], correct: np.ndarray) -> ConfidenceModel:
        """Fit the weights of the greatest likelihood, less a penalty on their squares, by Newton's method.

        Targets are moved away from 0 and 1 as Platt (1999) does, so that the model does not become certain where there
        are few words or no errors. Without words, the model gives 0.5.

        Args:
            features: name → values (n,).
            names: the features that the model may use.
            correct: (n,) bool, whether each word is right.
        """
        correct = np.asarray(correct, bool)
        if not len(correct):
            return cls({})
        right = int(correct.sum())
        targets = np.where(correct, (right + 1) / (right + 2), 1 / (len(correct) - right + 2))
        columns = np.stack([features[name] for name in names], axis=1)
        means, spreads = columns.mean(axis=0), columns.std(axis=0)
        spreads[spreads < 1e-9] = np.inf  # what never varies tells nothing
        inputs = np.concatenate([(columns - means) / spreads, np.ones((len(correct), 1))], axis=1)
        found = _logistic_regression(inputs, targets)
        weights = found[:-1] / spreads
        return cls(dict(zip(names, weights.tolist(), strict=True)), float(found[-1] - weights @ means))


def _logistic_regression(inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the weights (K,) of inputs (n, K), the last of them all 1, for targets (n,) in (0, 1)."""
    weights = np.zeros(inputs.shape[1])
    penalty = np.full(len(weights), _RIDGE)
    penalty[-1] = 1e-9
    for _ in range(100):
        shares = sigmoid(inputs @ weights)
        curvature = (inputs * (shares * (1 - shares))[:, None]).T @ inputs + np.diag(penalty)
        step = np.linalg.solve(curvature, inputs.T @ (targets - shares) - penalty * weights)
        weights += np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-9:
            break
    return weights


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return the logistic function of ``x``."""
    found: np.ndarray = 0.5 * (1 + np.tanh(0.5 * x))
    return found
