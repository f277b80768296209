"""The default decoding settings of a bundle, which are tuned on dev and stored in the bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from asr.decoding.beam import BeamOptions
from asr.decoding.calibration import Calibration
from asr.decoding.confidence_model import ConfidenceModel
from asr.decoding.fusion import FusionWeights
from asr.decoding.word_evidence import Features
from asr.errors import ConfigError
from asr.typed import from_tree

_NEEDED = {"weights", "beam_width", "calibration", "usual_confidence"}
_OF_PHONES = {"weights", "priors"}
"""What every bundle's settings had, however old; the other keys came later."""

MOST_BEAM_WIDTH = 1 << 14


@dataclass(frozen=True)
class PhoneSettings:
    """The tuned settings of a search over phones.

    Attributes:
        weights: how much the language model counts against the network's phones; this search has no unknown words.
        priors: (P,) the priors of the phones, as ``DecoderSettings.priors``.
    """

    weights: FusionWeights = FusionWeights()
    priors: Sequence[float] = ()

    def __post_init__(self) -> None:
        """Refuse a scale of priors without priors.

        Raises:
            ConfigError: ``weights.prior_scale`` is not 0, and ``priors`` is empty.
        """
        _check_priors(self.weights, self.priors)


def _check_priors(weights: FusionWeights, priors: Sequence[float]) -> None:
    if not np.isfinite(priors).all():
        raise ConfigError("priors must be numbers")
    if weights.prior_scale and not priors:
        raise ConfigError(f"prior_scale {weights.prior_scale} needs the priors of the labels")


@dataclass(frozen=True)
class DecoderSettings:
    """The tuned settings of a bundle's decoder.

    Attributes:
        weights: how much the language model counts against the network's characters.
        beam_width: the number of prefixes that a search keeps, where one is needed.
        confidence: models of the probability that a word is right, those that ask for more evidence first. A word's
            confidence is that of the first for which there is enough evidence.
        calibration: the same from the letters alone, in bundles of before; it is used where no model can be.
        alignment: the model of the probability that a word of a given text is said where it was aligned; None in
            bundles of before.
        usual_confidence: the share of words that were right on dev, which mean confidence comes to there; None if it
            was not measured.
        priors: (V,) the natural logarithms of the labels' shares of all frames of dev; () if the search needs none.
        phones: the settings of a search over phones; None if there is no such search.
    """

    weights: FusionWeights = FusionWeights()
    beam_width: int = BeamOptions.width
    confidence: tuple[ConfidenceModel, ...] = ()
    calibration: Calibration = Calibration()
    alignment: ConfidenceModel | None = None
    usual_confidence: float | None = None
    priors: Sequence[float] = ()
    phones: PhoneSettings | None = None

    def __post_init__(self) -> None:
        """Refuse a beam without prefixes, and a scale of priors without priors.

        Raises:
            ConfigError: ``beam_width`` is not a whole number in range, a number is not finite, or
                ``weights.prior_scale`` needs priors.
        """
        if isinstance(self.beam_width, bool) or not isinstance(self.beam_width, int):
            raise ConfigError(f"beam_width must be a whole number, got {self.beam_width!r}")
        if not 1 <= self.beam_width <= MOST_BEAM_WIDTH:
            raise ConfigError(f"beam_width must be 1 to {MOST_BEAM_WIDTH}, got {self.beam_width}")
        usual, curve = self.usual_confidence, (self.calibration.slope, self.calibration.intercept)
        if not np.isfinite(curve).all() or not (usual is None or 0 <= usual <= 1):
            raise ConfigError(f"usual_confidence must be 0 to 1 and the calibration numbers, got {usual} and {curve}")
        models = (*self.confidence, *([self.alignment] if self.alignment else []))
        numbers = [number for model in models for number in (*model.weights.values(), model.intercept)]
        if not np.isfinite(numbers).all():
            raise ConfigError(f"models of confidence have numbers for weights, got {numbers}")
        _check_priors(self.weights, self.priors)

    def word_confidence(self, evidence: Features) -> np.ndarray:
        """Return the probability (W,) that each word is right, given the evidence of `asr.decoding.word_evidence`."""
        for model in self.confidence:
            if model.applies_to(evidence):
                return model(evidence)
        return self.calibration(evidence["spelled"])

    def alignment_confidence(self, evidence: Features) -> np.ndarray:
        """Return the probability (W,) that each word of a given text is said where it was aligned.

        In bundles of before it is what nothing was fitted to, the probability that the word's frames spell it, which is
        below a half for most words of texts that are right.
        """
        return evidence["spelled"] if self.alignment is None else self.alignment(evidence)

    def to_json(self) -> dict[str, Any]:
        """Return the settings in the form in which a bundle stores them."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> DecoderSettings:
        """Read what ``to_json`` returned.

        Raises:
            ConfigError: keys are missing, or keys or values are not valid.
        """
        if not isinstance(stored, Mapping):
            raise ConfigError(f"decoder settings must be a mapping, got {stored!r}")
        if "spoken" in stored:
            raise ConfigError(
                "decoder settings of an older version, whose 'spoken' is now 'phones'; tune them again by asr lm tune"
            )
        heard = stored.get("phones")
        lacking = [*(_NEEDED - stored.keys()), *(_OF_PHONES - heard.keys() if isinstance(heard, Mapping) else ())]
        if lacking:
            raise ConfigError(f"decoder settings cannot be read: there is no {sorted(lacking)[0]!r}")
        return from_tree(cls, {key: value for key, value in stored.items() if value is not None})
