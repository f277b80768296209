"""The default decoding settings of a bundle, which are tuned on dev and stored in the bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from asr.decoding.calibration import Calibration
from asr.decoding.confidence_model import ConfidenceModel
from asr.decoding.fusion import FusionWeights
from asr.decoding.prefix_beam_search import BeamOptions
from asr.decoding.word_evidence import Features
from asr.errors import ConfigError


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

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> PhoneSettings:
        """Read the part on phones of what ``DecoderSettings.to_json`` returned."""
        return cls(FusionWeights(**stored["weights"]), tuple(map(float, stored["priors"])))


def _check_priors(weights: FusionWeights, priors: Sequence[float]) -> None:
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
        usual_confidence: the share of words that were right on dev, by which sounds are told from speech; None if it
            was not measured.
        priors: (V,) the natural logarithms of the labels' shares of all frames of dev; () if the search needs none.
        phones: the settings of a search over phones; None if there is no such search.
    """

    weights: FusionWeights = FusionWeights()
    beam_width: int = BeamOptions.width
    confidence: tuple[ConfidenceModel, ...] = ()
    calibration: Calibration = Calibration()
    usual_confidence: float | None = None
    priors: Sequence[float] = ()
    phones: PhoneSettings | None = None

    def __post_init__(self) -> None:
        """Refuse a beam without prefixes, and a scale of priors without priors.

        Raises:
            ConfigError: ``beam_width`` is not a whole number from 1 on, or ``weights.prior_scale`` needs priors.
        """
        if isinstance(self.beam_width, bool) or not isinstance(self.beam_width, int) or self.beam_width < 1:
            raise ConfigError(f"beam_width must be a whole number from 1 on, got {self.beam_width!r}")
        _check_priors(self.weights, self.priors)

    def word_confidence(self, evidence: Features) -> np.ndarray:
        """Return the probability (W,) that each word is right, given the evidence of `asr.decoding.word_evidence`."""
        for model in self.confidence:
            if model.applies_to(evidence):
                return model(evidence)
        return self.calibration(evidence["spelled"])

    def to_json(self) -> dict[str, Any]:
        """Return the settings in the form in which a bundle stores them."""
        return asdict(self) | {"confidence": [model.to_json() for model in self.confidence]}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> DecoderSettings:
        """Read what ``to_json`` returned.

        Raises:
            ConfigError: keys are missing, or keys or values are not valid.
        """
        if "spoken" in stored:
            raise ConfigError("decoder settings of an older version: what they call 'spoken' is now 'phones'")
        try:
            calibration = Calibration.from_json(stored["calibration"])
            usual = stored["usual_confidence"]
            weights, priors = FusionWeights(**stored["weights"]), tuple(map(float, stored.get("priors", ())))
            phones = PhoneSettings.from_json(stored["phones"]) if stored.get("phones") else None
            confidence = tuple(ConfidenceModel.from_json(model) for model in stored.get("confidence", ()))
            return cls(weights, stored["beam_width"], confidence, calibration, usual, priors, phones)
        except (KeyError, TypeError, ValueError) as fault:
            raise ConfigError(f"decoder settings cannot be read: {fault!r}") from fault
