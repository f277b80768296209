"""A room full of people who speak."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from asr.data.augment.mixing import mean_power, mixed
from asr.data.augment.recordings import excerpt
from asr.data.utterance import Utterance

VOICES = (3, 7)
"""How few and how many speak, as in Kaldi's babble of MUSAN speech (Snyder et al. 2015)."""


@dataclass(frozen=True)
class Babble:
    """The sum of three to seven other utterances, equally loud, each cut or looped to length.

    Attributes:
        recordings: of speech, eight at least.
        snr_db: lowest and highest ratio of the mean powers of speech and babble, drawn evenly in decibels.
    """

    recordings: tuple[Utterance, ...] = field(repr=False)
    snr_db: tuple[float, float]

    def __call__(
        self, samples: np.ndarray, sample_rate: int, rng: np.random.Generator, own: str | None = None
    ) -> np.ndarray:
        """(N,) → (N,); the utterance whose id is ``own`` is not among the voices.

        Raises:
            AudioError: a recording drawn cannot be read.
        """
        count = int(rng.integers(VOICES[0], VOICES[1] + 1))
        drawn = [self.recordings[i] for i in rng.choice(len(self.recordings), count + 1, replace=False)]
        others = [r for r in drawn if r.id != own][:count]
        voices = [_even(excerpt(r, len(samples), sample_rate, rng)) for r in others]
        return mixed(samples, np.sum(voices, axis=0), rng.uniform(*self.snr_db))


def _even(samples: np.ndarray) -> np.ndarray:
    """``samples`` at mean power one, silence as it is."""
    return samples / np.float32(np.sqrt(mean_power(samples)) or 1)
