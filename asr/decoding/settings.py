"""How a bundle is decoded unless somebody says otherwise: found on dev, kept in the bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from asr.decoding.calibration import Calibration
from asr.decoding.fusion import FusionWeights
from asr.decoding.prefix_beam_search import BeamOptions
from asr.errors import ConfigError


@dataclass(frozen=True)
class PhoneSettings:
    """What was tuned of a search by how words are said.

    Attributes:
        weights: of the language model against the network's phones; no word is unknown there.
        priors: (P,) as ``DecoderSettings.priors``, of phones.
    """

    weights: FusionWeights = FusionWeights()
    priors: Sequence[float] = ()

    def __post_init__(self) -> None:
        """Refuse a share of no priors."""
        _check_priors(self.weights, self.priors)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> PhoneSettings:
        """Read what ``DecoderSettings.to_json`` has of it."""
        return cls(FusionWeights(**stored["weights"]), tuple(map(float, stored["priors"])))


def _check_priors(weights: FusionWeights, priors: Sequence[float]) -> None:
    if weights.prior_scale and not priors:
        raise ConfigError(f"prior_scale {weights.prior_scale} needs the priors of the labels")


@dataclass(frozen=True)
class DecoderSettings:
    """What was tuned.

    Attributes:
        weights: of the language model against the network's characters.
        beam_width: prefixes kept where a search is needed.
        calibration: raw confidence → probability that a word is right.
        priors: (V,) natural logarithms of the labels' shares of all frames of dev; () where the search needs none.
        usual_confidence: the share of words that were right on dev, to tell sounds from speech by; None: nobody looked.
        phones: of the language model against the network's phones, in a search by how words are said; None for none.
    """

    weights: FusionWeights = FusionWeights()
    beam_width: int = BeamOptions.width
    calibration: Calibration = Calibration()
    usual_confidence: float | None = None
    priors: Sequence[float] = ()
    phones: PhoneSettings | None = None

    def __post_init__(self) -> None:
        """Refuse a beam of nothing."""
        if isinstance(self.beam_width, bool) or not isinstance(self.beam_width, int) or self.beam_width < 1:
            raise ConfigError(f"beam_width must be a whole number from 1 on, got {self.beam_width!r}")
        _check_priors(self.weights, self.priors)

    def to_json(self) -> dict[str, Any]:
        """As stored in a bundle."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> DecoderSettings:
        """Read what ``to_json`` gave.

        Raises:
            ConfigError: keys or values that are none.
        """
        if "spoken" in stored:
            raise ConfigError("decoder settings of an older version: what they call 'spoken' is now 'phones'")
        try:
            calibration = Calibration.from_json(stored["calibration"])
            usual = stored["usual_confidence"]
            weights, priors = FusionWeights(**stored["weights"]), tuple(map(float, stored.get("priors", ())))
            phones = PhoneSettings.from_json(stored["phones"]) if stored.get("phones") else None
            return cls(weights, stored["beam_width"], calibration, usual, priors, phones)
        except (KeyError, TypeError, ValueError) as fault:
            raise ConfigError(f"decoder settings cannot be read: {fault!r}") from fault
