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
class DecoderSettings:
    """What was tuned.

    Attributes:
        weights: of the language model against the network.
        beam_width: prefixes kept where a search is needed.
        calibration: raw confidence → probability that a word is right.
        priors: (V,) natural logarithms of the labels' shares of all frames of dev; () where the search needs none.
        usual_confidence: the share of words that were right on dev, to tell sounds from speech by; None: nobody looked.
    """

    weights: FusionWeights = FusionWeights()
    beam_width: int = BeamOptions.width
    calibration: Calibration = Calibration()
    usual_confidence: float | None = None
    priors: Sequence[float] = ()

    def __post_init__(self) -> None:
        """Refuse a beam of nothing."""
        if isinstance(self.beam_width, bool) or not isinstance(self.beam_width, int) or self.beam_width < 1:
            raise ConfigError(f"beam_width must be a whole number from 1 on, got {self.beam_width!r}")
        if self.weights.prior_scale and not self.priors:
            raise ConfigError(f"prior_scale {self.weights.prior_scale} needs the priors of the labels")

    def to_json(self) -> dict[str, Any]:
        """As stored in a bundle."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> DecoderSettings:
        """Read what ``to_json`` gave.

        Raises:
            ConfigError: keys or values that are none.
        """
        try:
            calibration = Calibration.from_json(stored["calibration"])
            usual = stored["usual_confidence"]
            weights, priors = FusionWeights(**stored["weights"]), tuple(map(float, stored.get("priors", ())))
            return cls(weights, stored["beam_width"], calibration, usual, priors)
        except (KeyError, TypeError, ValueError) as fault:
            raise ConfigError(f"decoder settings cannot be read: {fault!r}") from fault
